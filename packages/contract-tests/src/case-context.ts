import {
  type BaseSpawnOptions,
  type Clock,
  type ClusterProvider,
  type Instance,
  type Provider,
  projectProvider,
  type SpawnOptions,
} from "@slipway/core";
import type { Fault } from "@slipway/provider-kit/emulator";
import { type Census, difference, missingFrom, takeCensus } from "./census.ts";
import { must, NotApplicable } from "./conformance-failure.ts";
import type { Harness, HarnessFactory } from "./harness.ts";
import type { RuleId } from "./ids.ts";
import { type Tracker, tracker } from "./tracker.ts";
import { eventually } from "./waiting.ts";

/** `plain`: the provider as it is. `projected`: through core's projection, as registries and the command use it. */
export type Mode = "plain" | "projected";

/** How a provider is projected: core's own way, but for tests of the suite, which break it. */
export type Project = (provider: Provider) => Provider;

/** What `request` gives: a spawn that works here, with a fresh key. */
export type Request = SpawnOptions & { readonly key: string };

/** All that a case works with: a fresh world, and creation that cleans up after itself. */
export interface CaseContext {
  readonly harness: Harness;
  readonly mode: Mode;
  /** The provider under test itself, to be looked at. */
  readonly subject: Provider;
  /** The provider under test, to work with: what is made through it is taken away after the case. */
  readonly provider: Provider;
  readonly clock: Clock;
  readonly patienceMs: number;
  /** A key that no other case uses. */
  readonly key: () => string;
  /** A request that works here, with a fresh key unless `extra` has one. */
  readonly request: <T extends object>(extra?: T) => Request & T;
  /** Spawns such a request and waits until every reader must see it. */
  readonly spawn: (extra?: object, by?: Provider) => Promise<Instance>;
  /** Waits as long as a read may lag behind a write. */
  readonly settle: () => Promise<void>;
  /** The same remote from another process, also tracked. */
  readonly another: (options?: { readonly owner?: string }) => Promise<Provider>;
  readonly cluster: () => ClusterProvider;
  readonly census: () => Promise<Census>;
  /** Native ids of instances that are there now and were not then. */
  readonly bornSince: (census: Census) => Promise<readonly string[]>;
  /** What `act` answers; fails if the remote is not exactly as before. */
  readonly unchanged: <T>(rule: RuleId, what: string, act: () => Promise<T>) => Promise<T>;
  /** Places a fault, or says that the case is not applicable here. */
  readonly fault: (fault: Fault) => void;
  readonly unmanaged: (name?: string) => Promise<string>;
  /** The instance as `get` tells it once `done`, or as it is when patience ends. */
  readonly watch: (id: string, done: (instance: Instance | null) => boolean) => Promise<Instance | null>;
  /** The same case in a world of its own, as for each row of a table. */
  readonly afresh: <T>(act: (context: CaseContext) => Promise<T>) => Promise<T>;
}

const DEFAULT_PATIENCE_MS = 60_000;
// A real timer may fire a little before the wall clock says so.
const TIMER_SLACK_MS = 2;

let keys = 0;

/** A context, and what ends it: the answer names what could not be taken away. */
export async function caseContext(
  factory: HarnessFactory,
  mode: Mode,
  project: Project = projectProvider,
): Promise<{ readonly context: CaseContext; readonly end: () => Promise<readonly string[]> }> {
  const harness = await factory();
  const before = await takeCensus(harness.inspector).catch(async (error: unknown) => {
    await harness.close();
    throw error;
  });
  const inMode = (provider: Provider): Provider => (mode === "projected" ? project(provider) : provider);
  const subject = inMode(harness.registration.provider);
  const { clock } = harness;
  const patience = { clock, patienceMs: harness.patienceMs ?? DEFAULT_PATIENCE_MS };
  const tracking = tracker(harness, patience, before);
  const provider = tracking.tracked(subject);

  const settle = async (): Promise<void> => {
    const { readAfterWriteMs } = subject.limits;
    if (readAfterWriteMs > 0) await clock.sleep(readAfterWriteMs + TIMER_SLACK_MS);
  };
  const key = (): string => `case-${++keys}-${Math.random().toString(36).slice(2, 10)}`;
  const request = <T extends object>(extra?: T): Request & T =>
    // The spread of a request, a key and T is all three.
    ({ ...harness.spawnOptions(), key: key(), ...extra }) as unknown as Request & T;
  const census = (): Promise<Census> => takeCensus(harness.inspector);

  const context: CaseContext = {
    harness,
    mode,
    subject,
    provider,
    ...patience,
    key,
    request,
    settle,
    census,
    spawn: async (extra, by = provider) => {
      const instance = await by.spawn(request(extra));
      await settle();
      return instance;
    },
    another: async (options) => tracking.tracked(inMode(await harness.another(options))),
    cluster: () => clusterOf(harness, tracking),
    bornSince: async (then) => [...missingFrom(then.instances, (await census()).instances)],
    unchanged: async (rule, what, act) => {
      const before = await census();
      const answer = await act();
      const changed = difference(before, await census());
      must(
        changed === null,
        rule,
        `${what} changed the remote (${changed})`,
        "Check and refuse before the first call.",
      );
      return answer;
    },
    fault: (fault) => placeFault(harness, fault),
    unmanaged: async (name) => {
      const add = harness.inspector.addUnmanaged;
      if (add === undefined) throw new NotApplicable("the harness's inspector adds no unmanaged machines");
      const nativeId = await add(name);
      tracking.unmanaged(nativeId);
      return nativeId;
    },
    watch: (id, done) => eventually(patience, () => provider.get(id), done),
    afresh: (act) => within(() => caseContext(factory, mode, project), act),
  };
  return { context, end: () => ended(harness, tracking) };
}

async function within<T>(
  begin: () => ReturnType<typeof caseContext>,
  act: (context: CaseContext) => Promise<T>,
): Promise<T> {
  const { context, end } = await begin();
  let answer: T;
  try {
    answer = await act(context);
  } catch (error) {
    // What went wrong says more than what it left behind.
    await end().catch(() => undefined);
    throw error;
  }
  mustLeaveNothing(await end());
  return answer;
}

/** A case that leaves something behind has failed, whatever it checked. */
export function mustLeaveNothing(left: readonly string[]): void {
  must(
    left.length === 0,
    "TERM-02",
    `the inspector still holds what the case made, though all of it was ended: ${left.join(", ")}`,
    "See that terminate and the delete methods really end things, and that list shows what they have to end.",
  );
}

async function ended(harness: Harness, tracking: Tracker): Promise<readonly string[]> {
  try {
    return await tracking.cleanUp();
  } finally {
    await harness.close();
  }
}

function placeFault({ faults }: Harness, fault: Fault): void {
  if (faults === undefined) throw new NotApplicable("the harness has no faults");
  if (!faults.supports(fault)) {
    const code = fault.code === undefined ? "" : ` (${fault.code})`;
    throw new NotApplicable(`the harness places no fault \`${fault.when}\`${code} at ${fault.operation}`);
  }
  faults.add(fault);
}

function clusterOf({ registration }: Harness, tracking: Tracker): ClusterProvider {
  if (registration.cluster === undefined) throw new NotApplicable("the registration has no clusters");
  return tracking.clusters(registration.cluster);
}

/** A base option that this provider honours; where it refuses it, the case is not applicable. */
export function honoured({ subject }: CaseContext, option: keyof BaseSpawnOptions): void {
  const sentence = Reflect.get(subject.refuses, option) as string | undefined;
  if (sentence !== undefined) throw new NotApplicable(`the provider refuses ${option}: ${sentence}`);
}
