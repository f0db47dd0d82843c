/**
 * Reads the markers of `renderLineWithMarkers` out of a stderr that arrives in pieces. What comes before the first marker is of
 * `ssh` itself or of a log-in script: it is kept apart, and the command's listener gets the command's own words alone.
 */
export class StderrMarkers {
  readonly #began: RegExp;
  readonly #ended: RegExp;
  readonly #nonce: string;
  readonly #onText: ((chunk: string) => void) | undefined;
  #waiting = "";
  #text = "";
  /** What was printed before the command began. */
  preface = "";
  /** The leader of the command's process group; null: nothing ran, as far as was seen. */
  pid: number | null = null;
  exitCode: number | null = null;
  /** Resolves once the process id is known, if ever. */
  readonly began: Promise<void>;
  #begin: () => void = () => undefined;

  constructor(nonce: string, onText?: (chunk: string) => void) {
    this.#nonce = nonce;
    this.#onText = onText;
    this.#began = new RegExp(`${nonce}:began:(\\d+)\n`);
    this.#ended = new RegExp(`${nonce}:ended:(\\d+)\n`);
    this.began = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** What the command itself printed. */
  get text(): string {
    return this.#text;
  }

  add(chunk: string): void {
    this.#waiting += chunk;
    if (this.pid === null) {
      const marker = this.#began.exec(this.#waiting);
      if (marker === null) return;
      this.pid = Number(marker[1]);
      this.#begin();
      this.preface = this.#waiting.slice(0, marker.index);
      this.#waiting = this.#waiting.slice(marker.index + marker[0].length);
    }
    const marker = this.exitCode === null ? this.#ended.exec(this.#waiting) : null;
    if (marker !== null) {
      this.exitCode = Number(marker[1]);
      this.#waiting = this.#waiting.slice(0, marker.index) + this.#waiting.slice(marker.index + marker[0].length);
    }
    this.#release(this.exitCode === null ? this.#possibleMarker() : this.#waiting.length);
  }

  /** Nothing more comes. */
  end(): void {
    if (this.pid === null) {
      this.preface = this.#waiting;
      this.#waiting = "";
    }
    this.#release(this.#waiting.length);
  }

  /** Where the second marker, or its beginning, may stand. */
  #possibleMarker(): number {
    const whole = this.#waiting.indexOf(this.#nonce);
    if (whole !== -1) return whole;
    const longest = Math.min(this.#nonce.length - 1, this.#waiting.length);
    for (let length = longest; length > 0; length -= 1) {
      if (this.#nonce.startsWith(this.#waiting.slice(-length))) return this.#waiting.length - length;
    }
    return this.#waiting.length;
  }

  #release(length: number): void {
    const text = this.#waiting.slice(0, length);
    this.#waiting = this.#waiting.slice(length);
    if (text === "") return;
    this.#text += text;
    this.#onText?.(text);
  }
}
