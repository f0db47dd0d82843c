/** Enough to recognise a secret in a text, and nothing to read it from. */
export interface SecretDigest {
  readonly length: number;
  readonly sha256: string;
}

export function digestOf(secret: string): SecretDigest {
  return { length: secret.length, sha256: hash(secret) };
}

/** The text with every recognised secret replaced. */
export function withoutSecrets(text: string, secrets: readonly SecretDigest[]): string {
  let clean = text;
  for (const secret of secrets) clean = without(clean, secret);
  return clean;
}

function without(text: string, { length, sha256 }: SecretDigest): string {
  if (length === 0) return text;
  let clean = "";
  let at = 0;
  while (at < text.length) {
    const found = at + length <= text.length && hash(text.slice(at, at + length)) === sha256;
    clean += found ? "[redacted]" : text.charAt(at);
    at += found ? length : 1;
  }
  return clean;
}

function hash(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text, "utf8").digest("hex");
}
