// One line for each check, and the last line that .ci/run reads.
export class Report {
  #passed = 0;
  #failed = 0;

  /** Runs one check: whatever it throws is its failure. */
  check(name, body) {
    try {
      body();
      this.#passed += 1;
      console.log(`✓ ${name}`);
    } catch (error) {
      this.failed(name, error.message);
    }
  }

  failed(name, reason) {
    this.#failed += 1;
    console.log(`✗ ${name}\n    ${reason.trim().replaceAll("\n", "\n    ")}`);
  }

  /** Says the totals; the exit code is the answer. No check at all is a failure too. */
  end() {
    if (this.#passed + this.#failed === 0) this.failed("any check", "nothing was checked");
    console.log(`consumers: ${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 ? 0 : 1;
  }
}
