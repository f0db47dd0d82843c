import { type Journal, type JsonValue, type RunRecord, runRecordId, type StepRecord } from "@slipway/control";
import type { Provider } from "@slipway/core";
import type { SessionResult } from "./session.ts";

const TYPE = "slipway.job";
const BEGUN: StepRecord = { name: "command", kind: "step", state: "started", undoable: false };

/** What a store knows of one job. A beginning counts unless it is known that the command did not run. */
export class JobRecord {
  readonly #store: Journal;
  readonly #recordId: string;
  #record: RunRecord;

  private constructor(store: Journal, recordId: string, record: RunRecord) {
    this.#store = store;
    this.#recordId = recordId;
    this.#record = record;
  }

  static recordId({ name, owner }: Provider, account: string, key: string): { runId: string; recordId: string } {
    const runId = [TYPE, name, account, owner, key].map(encodeURIComponent).join("/");
    return { runId, recordId: runRecordId(runId) };
  }

  /** Reads the record, or makes one that is not yet written. The caller holds its lease. */
  static async read(
    store: Journal,
    ids: { runId: string; recordId: string },
    input: JsonValue,
    at: string,
  ): Promise<JobRecord> {
    const found = await store.read(ids.recordId);
    const fresh: RunRecord = {
      kind: "run",
      runId: ids.runId,
      type: TYPE,
      version: 1,
      state: "running",
      startedAt: at,
      input,
      steps: [],
    };
    return new JobRecord(store, ids.recordId, found?.kind === "run" ? found : fresh);
  }

  get startedAt(): string {
    return this.#record.startedAt;
  }

  get beginnings(): number {
    return this.#record.steps.filter(({ outcome }) => outcome !== "none").length;
  }

  /** The stored result, or null. */
  get result(): SessionResult | null {
    const { state, output } = this.#record;
    if (state !== "completed" || typeof output !== "object" || output === null || !("exitCode" in output)) return null;
    const { exitCode, stdout, stderr } = output;
    if (typeof exitCode !== "number" || typeof stdout !== "string" || typeof stderr !== "string") return null;
    return { exitCode, stdout, stderr };
  }

  /** Before anything is launched, so that a later call knows when the job was first asked for. */
  async open(): Promise<void> {
    await this.#write({});
  }

  /** Before the command is sent. */
  async begin(): Promise<void> {
    await this.#write({ steps: [...this.#record.steps, BEGUN] });
  }

  /** The command that was begun last is known not to have run. */
  async withdraw(): Promise<void> {
    await this.#write({ steps: [...this.#record.steps.slice(0, -1), { ...BEGUN, state: "failed", outcome: "none" }] });
  }

  async complete(result: SessionResult): Promise<void> {
    const steps = [...this.#record.steps.slice(0, -1), { ...BEGUN, state: "done", outcome: "done" } as const];
    await this.#write({ state: "completed", output: { ...result }, steps });
  }

  async #write(change: Partial<RunRecord>): Promise<void> {
    const next = { ...this.#record, ...change };
    await this.#store.write(this.#recordId, next);
    this.#record = next;
  }
}
