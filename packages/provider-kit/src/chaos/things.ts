/** Anything with an id that a provider answers: an instance, a snapshot, a volume. */
export type Thing = Readonly<Record<string, unknown>> & { readonly id: string };

export function isThing(value: unknown): value is Thing {
  return typeof value === "object" && value !== null && "id" in value && typeof value.id === "string";
}

/** The things in what a method answered. */
export function thingsIn(answer: unknown): readonly Thing[] {
  if (isThing(answer)) return [answer];
  return Array.isArray(answer) ? answer.filter(isThing) : [];
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

export function numberIn(value: unknown, ...path: readonly string[]): number {
  const found = path.reduce(fieldOf, value);
  return typeof found === "number" ? found : 0;
}

export function textIn(value: unknown, name: string): string | undefined {
  const found = fieldOf(value, name);
  return typeof found === "string" ? found : undefined;
}
