import type { Inspector } from "./harness.ts";

/** What the remote holds, as the inspector tells it. */
export interface Census {
  /** Native ids of instances that are there and not terminated. */
  readonly instances: ReadonlySet<string>;
  readonly snapshots: ReadonlySet<string>;
  readonly volumes: ReadonlySet<string>;
  /** Of the hidden writes, where the inspector counts them. */
  readonly changes: number | null;
}

export async function takeCensus(inspector: Inspector): Promise<Census> {
  const instances = await inspector.instances();
  return {
    instances: new Set(instances.filter(({ live }) => live).map(({ nativeId }) => nativeId)),
    snapshots: new Set((await inspector.snapshots?.()) ?? []),
    volumes: new Set((await inspector.volumes?.()) ?? []),
    changes: (await inspector.changes?.()) ?? null,
  };
}

/** What differs, in words; null if nothing does. */
export function difference(before: Census, after: Census): string | null {
  const found = (["instances", "snapshots", "volumes"] as const).flatMap((kind) => [
    ...[...missingFrom(before[kind], after[kind])].map((id) => `${kind}: ${id} came`),
    ...[...missingFrom(after[kind], before[kind])].map((id) => `${kind}: ${id} went`),
  ]);
  if (found.length === 0 && before.changes !== after.changes) {
    found.push(`${Number(after.changes) - Number(before.changes)} writes that left nothing behind`);
  }
  return found.length === 0 ? null : found.join(", ");
}

/** What is in `all` and not in `known`. */
export function missingFrom(known: ReadonlySet<string>, all: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...all].filter((id) => !known.has(id)));
}
