import { operationTable, type Provider, type RequestOperation } from "@slipway/core";
import type { CaseContext } from "./case-context.ts";
import { NotApplicable } from "./conformance-failure.ts";

/** A call of one operation, prepared so far that only the call itself is left. */
type Prepare = (context: CaseContext) => Promise<() => Promise<unknown>>;

const GIBIBYTE = 1024 ** 3;

/** How large the suite makes volumes here. */
export function volumeSize({ harness }: CaseContext): number {
  return harness.volumeSizeBytes ?? GIBIBYTE;
}

/** A method of a capability, of a provider that has it. */
function method(provider: Provider, name: string): (...args: unknown[]) => Promise<unknown> {
  const found: unknown = Reflect.get(provider, name);
  if (typeof found !== "function") throw new NotApplicable(`the provider has no ${name}`);
  return (...args) => found(...args) as Promise<unknown>;
}

const onInstance =
  (name: string, ...rest: readonly unknown[]): Prepare =>
  async ({ provider, spawn, watch }) => {
    const { id } = await spawn();
    await watch(id, (instance) => instance?.status === "running");
    const call = method(provider, name);
    return () => call(id, ...rest);
  };

const withoutArguments =
  (name: string): Prepare =>
  async ({ provider }) =>
    method(provider, name);

const onText =
  (name: string): Prepare =>
  async ({ provider }) => {
    const call = method(provider, name);
    return () => call("slipway-contract-tests");
  };

// Null: the suite cannot call it by itself.
const WITH_REQUEST: { readonly [N in RequestOperation]: Prepare | null } = {
  spawn: async ({ provider, request }) => {
    const options = request();
    return () => provider.spawn(options);
  },
  createSnapshot: async (context) => await onInstance("createSnapshot", { key: context.key() })(context),
  createVolume: async (context) => {
    const options = { key: context.key(), sizeBytes: volumeSize(context) };
    return () => method(context.provider, "createVolume")(options);
  },
  warmVolume: null,
  claimWarmVolume: null,
  requestSpotInstance: async ({ provider, request }) => {
    const options = request();
    return () => method(provider, "requestSpotInstance")(options);
  },
  getCosts: async ({ provider, clock }) => {
    const query = { from: new Date(clock.now() - 3_600_000).toISOString(), to: new Date(clock.now()).toISOString() };
    return () => method(provider, "getCosts")(query);
  },
};

/** A call that works, but for the fault placed there, for every operation that a row of an error table may name. */
export const OPERATIONS: Readonly<Record<string, Prepare>> = {
  ...Object.fromEntries(
    Object.entries(operationTable()).flatMap(([name, { takes }]) => {
      if (Object.hasOwn(WITH_REQUEST, name)) return [];
      const prepare = takes === undefined ? withoutArguments : takes === "instance" ? onInstance : onText;
      return [[name, prepare(name)]];
    }),
  ),
  ...Object.fromEntries(Object.entries(WITH_REQUEST).flatMap(([name, call]) => (call === null ? [] : [[name, call]]))),
  onStartup:
    async ({ harness }) =>
    () =>
      harness.registration.hooks.onStartup(),
};

/** Operations that change the remote; every other only reads. */
export const WRITES: ReadonlySet<string> = new Set(
  Object.entries(operationTable()).flatMap(([name, { writes }]) => (writes ? [name] : [])),
);
