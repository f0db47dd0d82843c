import { createHash } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** 26 characters of Crockford's base 32: 10 of the time, 16 that are drawn from the seed. */
export function ulid(atMs: number, seed: string): string {
  let time = "";
  for (let left = Math.max(0, Math.floor(atMs)), i = 0; i < 10; i += 1) {
    time = ALPHABET.charAt(left % 32) + time;
    left = Math.floor(left / 32);
  }
  const bytes = createHash("sha256").update(seed).digest();
  const drawn = [...bytes.subarray(0, 16)].map((byte) => ALPHABET.charAt(byte % 32)).join("");
  return time + drawn;
}
