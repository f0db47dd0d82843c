import { sha256 } from "./spec-hash.ts";

const KEY = /^[\x20-\x7e]{1,128}$/;
const OWNER = /^[a-z0-9-]{1,63}$/;
// RFC 4648's alphabet in lower case: safe in host names, tags and file names.
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * 1 to 128 printable ASCII characters.
 *
 * @example
 * ```ts
 * isKey("job 7/worker-1"); // => true
 * isKey(""); // => false
 * ```
 */
export function isKey(value: unknown): value is string {
  return typeof value === "string" && KEY.test(value);
}

/**
 * `[a-z0-9-]{1,63}`.
 *
 * @example
 * ```ts
 * isOwner("team-a"); // => true
 * isOwner("Team A"); // => false
 * ```
 */
export function isOwner(value: unknown): value is string {
  return typeof value === "string" && OWNER.test(value);
}

/**
 * The only derivation of a remote name: `slip-`, 8 characters of the owner's hash, `-`, 20 of the key's. 34 characters
 * of `[a-z2-7-]`: it fits a DNS label, and an instance is found again by it where the remote has no labels.
 *
 * @example
 * ```ts
 * nameFor("team-a", "worker-1").length; // => 34
 * ```
 */
export function nameFor(owner: string, key: string): string {
  return `${namePrefixFor(owner)}${base32(key, 20)}`;
}

/**
 * What all names of one owner begin with.
 *
 * @example
 * ```ts
 * import { nameFor } from "@slipway/core";
 *
 * nameFor("team-a", "worker-1").startsWith(namePrefixFor("team-a")); // => true
 * ```
 */
export function namePrefixFor(owner: string): string {
  return `slip-${base32(owner, 8)}-`;
}

function base32(text: string, length: number): string {
  const digest = sha256(text);
  let bits = 0;
  let pending = 0;
  let out = "";
  for (const byte of digest) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5 && out.length < length) {
      bits -= 5;
      out += BASE32.charAt((pending >> bits) & 31);
      pending &= (1 << bits) - 1;
    }
    if (out.length === length) break;
  }
  return out;
}
