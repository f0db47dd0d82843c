/**
 * A thing as it was, is and, so far as nothing intervenes, will be. Reads that lag ask for an earlier moment, and what
 * takes time (booting, ending) stands ahead.
 */
export class Timeline<T extends object> {
  #versions: { readonly at: number; readonly value: T | null }[];

  constructor(at: number, value: T) {
    this.#versions = [{ at, value }];
  }

  /** Null before it was, and after it has gone. */
  at(moment: number): T | null {
    return this.#versions.findLast((version) => version.at <= moment)?.value ?? null;
  }

  /** Changes it from now on, also in what stands ahead. */
  amend(now: number, patch: (value: T) => T): void {
    const current = this.at(now);
    if (current === null) return;
    const ahead = this.#versions
      .filter(({ at }) => at > now)
      .map(({ at, value }) => ({ at, value: value === null ? null : patch(value) }));
    this.#versions = [...this.#until(now), { at: now, value: patch(current) }, ...ahead];
  }

  /** Takes another course: what stood ahead does not happen. Each step changes the one before it. */
  turn(now: number, ...steps: readonly { readonly inMs: number; readonly patch: (value: T) => T | null }[]): void {
    let value = this.at(now);
    this.#versions = this.#until(now);
    for (const { inMs, patch } of steps) {
      value = value === null ? null : patch(value);
      this.#versions.push({ at: now + inMs, value });
    }
  }

  /** When it will next be so, as far as its course is known now. */
  whenNext(now: number, isSo: (value: T) => boolean): number | null {
    return this.#versions.find(({ at, value }) => at > now && value !== null && isSo(value))?.at ?? null;
  }

  /** What is told of it last, also if that lies ahead. */
  get last(): T | null {
    return this.#versions.at(-1)?.value ?? null;
  }

  /** Whether it is, or may yet be seen, at a moment or later. */
  endsAfter(moment: number): boolean {
    const last = this.#versions.at(-1);
    return last !== undefined && (last.value !== null || last.at > moment);
  }

  #until(now: number): { readonly at: number; readonly value: T | null }[] {
    return this.#versions.filter(({ at }) => at <= now);
  }
}
