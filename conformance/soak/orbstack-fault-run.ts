import { allEntries, apply, launch, memoryStore, reconcile } from "@slipway/control";
import { isProviderError, layer, type ProviderError } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { type OrbstackProvider, orbstack } from "@slipway/provider-orbstack";
import { type ChaosEntry, chaos, chaosOf, type DriftWorld, orbstackWorld } from "@slipway/provider-orbstack/chaos";
import { callKind, PLAN } from "./orbstack-faults.ts";
import type { FaultWorld } from "./orbstack-worlds.ts";

const KEYS = ["a", "b", "c", "d", "e", "f"];
const OWNER = "faults";
const ROUNDS = 30;
const ATTEMPTS = 10;
const AGAIN_MS = 5_000;

export interface FaultReport {
  readonly seed: number;
  readonly calls: number;
  readonly failures: number;
  /** How often each kind of fault was placed. */
  readonly placed: ReadonlyMap<string, number>;
  /** What should not have been, in words; empty where everything held. */
  readonly wrong: readonly string[];
}

/** One run: so many operations in a fault run, then calm, a reconciliation, and the end of everything. */
export async function runWithFaults(world: FaultWorld, seed: number, operations: number): Promise<FaultReport> {
  const run = new FaultRun(world, seed);
  try {
    for (let at = 0; at < operations; at += 1) await run.operate(at);
    await run.calmDown();
    return await run.report();
  } finally {
    await world.close();
  }
}

class FaultRun {
  readonly #world: FaultWorld;
  readonly #seed: number;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #store = memoryStore();
  readonly #calm: OrbstackProvider;
  readonly #unruly: OrbstackProvider;
  readonly #chaotic: OrbstackProvider;
  readonly #wrong: string[] = [];
  /** Changes that the drift has made, and no call. */
  #drifted = 0;
  #calls = 0;
  #failures = 0;
  /** Several calls at once: no change is one call's then. */
  #atOnce = false;

  constructor(world: FaultWorld, seed: number) {
    this.#world = world;
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#calm = this.#process();
    this.#chaotic = chaos(this.#calm, { seed, plan: PLAN, clock: world.clock, world: this.#countingWorld() });
    this.#unruly = this.#judged(this.#chaotic);
  }

  /** A provider that shares nothing with others but the Mac. */
  #process(): OrbstackProvider {
    const { clock, exec, variables } = this.#world;
    return orbstack({ owner: OWNER, variables, runtime: { clock, exec } });
  }

  #countingWorld(): DriftWorld {
    const world = orbstackWorld(this.#world.control);
    const counted =
      <A extends readonly unknown[]>(act: (...args: A) => unknown) =>
      async (...args: A): Promise<void> => {
        const before = await this.#world.control.changes();
        try {
          await act(...args);
        } finally {
          this.#drifted += (await this.#world.control.changes()) - before;
        }
      };
    return {
      stop: counted(world.stop),
      remove: counted(world.remove),
      rename: counted(world.rename),
      addUnmanaged: counted(world.addUnmanaged),
      changeAddress: counted(world.changeAddress),
    };
  }

  /** Holds every failure against what the remote itself says. */
  #judged(provider: OrbstackProvider): OrbstackProvider {
    return layer(({ operation }, next) => (WRITES.has(operation) ? this.#judgedCall(operation, next) : next()))(
      provider,
    );
  }

  async #judgedCall(operation: string, next: () => unknown): Promise<unknown> {
    const { control } = this.#world;
    const drifted = this.#drifted;
    const before = await control.changes();
    try {
      return await next();
    } catch (error) {
      if (!isProviderError(error)) this.#wrong.push(`${operation} threw ${String(error)}`);
      else if (!this.#atOnce) {
        this.#judge(operation, error, (await control.changes()) - before - (this.#drifted - drifted));
      }
      throw error;
    }
  }

  #judge(operation: string, { code, effect, message }: ProviderError, changed: number): void {
    if (effect !== "none" || changed === 0) return;
    this.#wrong.push(`${operation} said ${code} with effect none after ${changed} changes: ${message}`);
  }

  async operate(at: number): Promise<void> {
    await this.#world.placeFaults(this.#random);
    const roll = this.#random.next();
    const key = KEYS[this.#random.whole(KEYS.length)] ?? "a";
    if (roll < 0.22) await this.#try(() => this.#launch(key));
    else if (roll < 0.4) await this.#try(() => this.#unruly.spawn({ key }));
    else if (roll < 0.48) await this.#bothAtOnce(key);
    else if (roll < 0.62) await this.#try(() => this.#onOne((id) => this.#unruly.get(id)));
    else if (roll < 0.72) await this.#try(() => this.#unruly.list());
    else if (roll < 0.9) await this.#try(() => this.#onOne((id) => this.#unruly.terminate(id)));
    else if (roll < 0.96) await this.#try(() => this.#snapshot(at));
    else await this.#world.clock.sleep(this.#random.whole(this.#world.napMs));
    await this.#lookForDuplicates(`after operation ${at}`);
  }

  async #try(act: () => Promise<unknown>): Promise<void> {
    this.#calls += 1;
    try {
      await act();
    } catch (error) {
      this.#failures += 1;
      if (!isProviderError(error)) this.#wrong.push(`not a ProviderError: ${String(error)}`);
    }
  }

  #launch(key: string): Promise<unknown> {
    return launch(this.#unruly, { key }, { store: this.#store, clock: this.#world.clock });
  }

  /** The same key from two processes, of which one knows nothing of the other's store. */
  async #bothAtOnce(key: string): Promise<void> {
    this.#atOnce = true;
    const other = this.#process();
    await Promise.all([this.#try(() => this.#launch(key)), this.#try(() => other.spawn({ key }))]);
    this.#atOnce = false;
  }

  async #onOne(act: (id: string) => Promise<unknown>): Promise<void> {
    const there = await this.#world.control.machines();
    const mine = there.filter(({ key, name }) => key !== null || name.startsWith("slip-"));
    const one = mine[this.#random.whole(Math.max(1, mine.length))];
    if (one !== undefined) await act(one.nativeId);
  }

  async #snapshot(at: number): Promise<void> {
    const { id } = await this.#unruly.createSnapshot(await this.#some(), { key: `copy ${at}` });
    await this.#unruly.deleteSnapshot(id);
  }

  async #some(): Promise<string> {
    const [one] = (await this.#world.control.machines()).filter(({ key }) => key !== null);
    return one?.nativeId ?? "01KHVDCW7HTAGRPMB823KADP9B";
  }

  async #lookForDuplicates(when: string): Promise<void> {
    const keys = (await this.#world.control.machines()).flatMap(({ key }) => (key === null ? [] : [key]));
    const twice = keys.filter((key, at) => keys.indexOf(key) !== at);
    if (twice.length > 0) this.#wrong.push(`${when}: two instances of the key ${twice.join(", ")}`);
  }

  async calmDown(): Promise<void> {
    const { control, clock, settleMs } = this.#world;
    await this.#lookForDuplicates("in the end");
    await this.#world.calm();
    await clock.sleep(settleMs);
    await this.#patiently(() => this.#reconciled());
    await this.#patiently(async () => {
      for (const { id } of await this.#calm.list()) await this.#calm.terminate(id);
      for (const { id } of await this.#calm.listSnapshots()) await this.#calm.deleteSnapshot(id);
    });
    const left = (await control.machines()).filter((machine) => !isUnmanaged(machine.name));
    if (left.length > 0) this.#wrong.push(`left over: ${left.map(({ name }) => name).join(", ")}`);
    const copies = await control.snapshots();
    if (copies.length > 0) this.#wrong.push(`copies left over: ${copies.join(", ")}`);
  }

  /** Nothing is made to go wrong any more; but where the commands are processes, this host may be slow. */
  async #patiently(act: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await act();
      } catch (error) {
        if (!isProviderError(error) || attempt === ATTEMPTS) throw error;
        await this.#world.clock.sleep(AGAIN_MS);
      }
    }
  }

  /** After it the machines are those that the store knows, and no others. */
  async #reconciled(): Promise<void> {
    const { clock, control } = this.#world;
    for (let round = 0; round < ROUNDS; round += 1) {
      // What was begun and never heard of is looked up by launching it again.
      for await (const { record } of this.#store.entries()) {
        if (record.kind === "launch" && record.state === "intended") {
          await launch(this.#calm, { key: record.identity.key }, { store: this.#store, clock });
        }
      }
      const plan = await reconcile(this.#calm, { store: this.#store, clock });
      if (plan.items.every(({ kind }) => kind === "drifted")) break;
      await apply(this.#calm, plan, { store: this.#store, clock });
      await clock.sleep(10_000);
    }
    const known = (await allEntries(this.#store)).flatMap(({ record }) =>
      record.kind === "launch" && record.state === "launched" && record.instanceId !== undefined
        ? [record.instanceId]
        : [],
    );
    const there = (await control.machines()).filter(({ name }) => !isUnmanaged(name)).map(({ nativeId }) => nativeId);
    const same = JSON.stringify(known.toSorted()) === JSON.stringify(there.toSorted());
    if (!same) this.#wrong.push(`the store knows ${known.join(", ")} and OrbStack has ${there.join(", ")}`);
  }

  async report(): Promise<FaultReport> {
    const placed = new Map<string, number>();
    const count = (kind: string): unknown => placed.set(kind, (placed.get(kind) ?? 0) + 1);
    for (const kind of await this.#world.placed()) count(kind);
    for (const entry of chaosOf(this.#chaotic).journal.entries) count(kindOf(entry));
    return { seed: this.#seed, calls: this.#calls, failures: this.#failures, placed, wrong: this.#wrong };
  }
}

const WRITES: ReadonlySet<string> = new Set(["spawn", "terminate", "createSnapshot", "deleteSnapshot"]);

function isUnmanaged(name: string): boolean {
  return name.startsWith("unmanaged-");
}

function kindOf(entry: ChaosEntry): string {
  if (entry.kind === "drift") return `drift ${entry.action}`;
  if (entry.kind === "constraint") return `constraint ${entry.code}`;
  return callKind(entry.operation, entry.when, entry.code);
}
