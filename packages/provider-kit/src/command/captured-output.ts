/**
 * One output stream: its bytes up to a cap, in one buffer that grows, so that a program that writes byte by byte does not
 * cost a hundred times its output; and its text chunk by chunk, where a character never breaks at a chunk's border.
 */
export class CapturedOutput {
  readonly #cap: number;
  readonly #onText: ((chunk: string) => void) | undefined;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** How many bytes have come in all, kept or not. */
  received = 0;

  constructor(cap: number, onText: ((chunk: string) => void) | undefined) {
    this.#cap = cap;
    this.#onText = onText;
  }

  /** False once the stream is past its cap. The listener gets what is kept, and no more. */
  add(chunk: Uint8Array): boolean {
    this.received += chunk.length;
    const kept = chunk.subarray(0, this.#cap - this.#length);
    this.#reserve(this.#length + kept.length);
    this.#bytes.set(kept, this.#length);
    this.#length += kept.length;
    if (this.#onText !== undefined && kept.length > 0) {
      const text = this.#decoder.decode(kept, { stream: true });
      if (text !== "") this.#onText(text);
    }
    return this.received <= this.#cap;
  }

  /** The stream is over: a broken last character still reaches the listener. */
  end(): void {
    const rest = this.#decoder.decode();
    if (rest !== "") this.#onText?.(rest);
  }

  get text(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#bytes.subarray(0, this.#length));
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#cap, Math.max(length, this.#bytes.length * 2, 4096)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
