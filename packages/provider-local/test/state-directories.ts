import type { Provider } from "@slipway/core";

const directories = new Map<string, string>();

export function rememberStateDirectory(owner: string, directory: string): void {
  directories.set(owner, directory);
}

export function forgetStateDirectory(owner: string): void {
  directories.delete(owner);
}

/** Where the provider of this owner keeps its state; a projected provider does not tell. */
export function stateDirectoryOf(provider: Pick<Provider, "owner">): string {
  const directory = directories.get(provider.owner);
  if (directory === undefined) throw new Error(`no harness has the owner ${provider.owner}`);
  return directory;
}
