const ID = /^(slip-[a-z2-7]{8}-[a-z2-7]{20})-[0-9a-f]{8}$/;

/** An id is the name and a part of its own, so that a key's next instance is not taken for the one before. */
export function newId(name: string): string {
  return `${name}-${process.getBuiltinModule("node:crypto").randomBytes(4).toString("hex")}`;
}

/** The name that an id stands under; null if it is no id of ours. */
export function nameOf(id: string): string | null {
  return ID.exec(id)?.[1] ?? null;
}
