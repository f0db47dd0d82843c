/** How often each kind of thing has happened. A soak that never meets one of its kinds has proven nothing of it. */
export interface Hits<K extends string> {
  readonly hit: (kind: K) => void;
  readonly missed: () => readonly K[];
  readonly report: () => string;
}

export function hitsOf<K extends string>(kinds: readonly K[]): Hits<K> {
  const counts = new Map<K, number>(kinds.map((kind) => [kind, 0]));
  return {
    hit: (kind) => void counts.set(kind, (counts.get(kind) ?? 0) + 1),
    missed: () => kinds.filter((kind) => counts.get(kind) === 0),
    report: () => [...counts].map(([kind, count]) => `  ${String(count).padStart(6)}  ${kind}`).join("\n"),
  };
}
