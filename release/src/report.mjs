/** Tells what passes and what does not, as it comes; the last line counts. */
export class Report {
  #counts = { passed: 0, failed: 0 };

  constructor(name) {
    this.name = name;
  }

  /** Runs one check. What it answers is told beside its title. */
  async check(title, check) {
    const begun = performance.now();
    try {
      const said = await check();
      this.#counts.passed += 1;
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      console.log(`ok      ${title} (${seconds} s)${said === undefined ? "" : `: ${said}`}`);
      return true;
    } catch (error) {
      this.failed(title, error);
      return false;
    }
  }

  failed(title, error) {
    this.#counts.failed += 1;
    console.log(`FAILED  ${title}\n${error.stack ?? error.message}`);
  }

  /** The exit code. */
  end() {
    const { passed, failed } = this.#counts;
    console.log(`slipway ${this.name}: ${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  }
}
