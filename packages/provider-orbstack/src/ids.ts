const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
/** What an ULID's first ten characters count in. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_LENGTH = 10;
const LATEST_MS = Date.UTC(9999, 11, 31);

/** The id of a machine is OrbStack's own: it survives a rename, and no later machine has it. */
export function isMachineId(id: string): boolean {
  return ULID.test(id);
}

/** When it was made: an ULID begins with that. Null for one that says nothing sensible. */
export function timeIn(id: string): string | null {
  if (!isMachineId(id)) return null;
  let ms = 0;
  for (const character of id.slice(0, TIME_LENGTH)) ms = ms * ALPHABET.length + ALPHABET.indexOf(character);
  // Its 48 bits reach further than the years that a time in ISO 8601 has.
  return ms === 0 || ms > LATEST_MS ? null : new Date(ms).toISOString();
}
