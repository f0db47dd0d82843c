/**
 * SHA-256 of UTF-8 text. The crypto module is loaded at the first digest, so that importing core costs nothing.
 *
 * @example
 * ```ts
 * sha256("echo ready\n").length; // => 32
 * ```
 */
export function sha256(text: string): Uint8Array {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text, "utf8").digest();
}

/**
 * `sha256:` and the hex digits, as checksums are written everywhere in the contract.
 *
 * @example
 * ```ts
 * checksumOf("echo ready\n"); // => "sha256:277cfe839808c4010d970694be37f2a28cc592396a68d8868b85c8303497319b"
 * ```
 */
export function checksumOf(text: string): string {
  return `sha256:${Array.from(sha256(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
