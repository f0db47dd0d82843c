import type { HibernationMethods, Instance, Provider, Snapshot } from "@slipway/core";
import { it } from "vitest";
import { type Driver, type DriverDefinition, providerFromDriver } from "../../src/driver/index.ts";

type Plain = Provider;
type Sleeping = Provider<Instance, Snapshot, "hibernation">;
type Common = "name" | "owner" | "tier" | "limits" | "hooks" | "driver";

declare const spawn: Plain["spawn"];
declare const driver: Driver<string, Instance, Parameters<Plain["spawn"]>[0]>;
declare const sleepingDriver: Driver<string, Instance, Parameters<Sleeping["spawn"]>[0]>;
declare const common: Omit<Pick<DriverDefinition<Plain, string, unknown, never>, Common>, "driver">;
const { name, owner, tier, limits, hooks } = common;
declare const { hibernate, resume }: HibernationMethods<Instance>;

it("demands no methods of a provider without capabilities that have some", () => {
  providerFromDriver<Plain, string, unknown>({ ...common, driver, capabilities: {} });
});

it("demands the methods of a capability, which may use the life cycle", () => {
  const declared = { ...common, driver: sleepingDriver, capabilities: { hibernation: true } } as const;
  providerFromDriver<Sleeping, string, unknown>({
    ...declared,
    methods: ({ lifeCycle }) => ({
      hibernate,
      resume: async (id, call) => lifeCycle.view(await lifeCycle.managed({ operation: "resume", ...call }, id)),
    }),
  });
  // @ts-expect-error: the capability is declared, and its methods are missing.
  providerFromDriver<Sleeping, string, unknown>(declared);
  // @ts-expect-error: one of them is missing.
  providerFromDriver<Sleeping, string, unknown>({ ...declared, methods: () => ({ hibernate }) });
});

it("refuses the methods of a capability that is not declared, and what it makes itself", () => {
  // @ts-expect-error: hibernation is off.
  providerFromDriver<Plain, string, unknown>({ ...common, driver, capabilities: {}, methods: () => ({ hibernate }) });
  // @ts-expect-error: the kit makes spawn of the driver.
  providerFromDriver<Plain, string, unknown>({ name, owner, tier, limits, hooks, driver, capabilities: {}, spawn });
});
