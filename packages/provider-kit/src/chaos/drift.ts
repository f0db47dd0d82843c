/**
 * A hand on the world itself, behind the provider's back. `MemoryWorld` is one. What the functions answer is awaited and not read; a
 * native id that is not there any more may be refused by throwing, which counts as nothing done.
 */
export interface DriftWorld {
  readonly stop: (nativeId: string) => unknown;
  readonly remove: (nativeId: string) => unknown;
  readonly rename: (nativeId: string, name: string) => unknown;
  readonly addUnmanaged: () => unknown;
  readonly changeAddress: (nativeId: string) => unknown;
}
