/** SHA-256 of UTF-8 text. The crypto module is loaded at the first digest, so that importing core costs nothing. */
export function sha256(text: string): Uint8Array {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text, "utf8").digest();
}

/** `sha256:` and the hex digits, as checksums are written everywhere in the contract. */
export function checksumOf(text: string): string {
  return `sha256:${Array.from(sha256(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
