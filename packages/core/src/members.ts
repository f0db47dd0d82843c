/**
 * All members of a provider by name, functions bound to it. A spread would lose the methods of a class, and a proxy
 * would break its private fields.
 */
export function membersOf(provider: object): Map<string, unknown> {
  const members = new Map<string, unknown>();
  for (
    let level: object | null = provider;
    level !== null && level !== Object.prototype;
    level = Reflect.getPrototypeOf(level)
  ) {
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name === "constructor" || members.has(name)) continue;
      const value: unknown = Reflect.get(provider, name);
      members.set(name, typeof value === "function" ? value.bind(provider) : value);
    }
  }
  return members;
}
