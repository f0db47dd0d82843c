import {
  type BootstrapMethods,
  canReadBootstrap,
  type Instance,
  type Layer,
  type Provider,
  type Snapshot,
  type SpawnOptionsOf,
  type Supporting,
  workflow,
} from "@slipway/core";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type BootstrapSource,
  compose,
  launch,
  memoryStore,
  runWorkflow,
  waitForBootstrap,
  waitForStatus,
} from "../src/index.ts";

declare const plain: Provider;
declare const safe: Provider<Instance, Snapshot, "idempotentSpawn">;
declare const gpus: Provider<Instance & { readonly own: true }, Snapshot, "gpu" | "multiRegion">;
const store = memoryStore();

describe("launch", () => {
  test("needs a store where the provider's type does not promise an idempotent spawn", () => {
    expectTypeOf(launch(plain, { key: "k" }, { store })).resolves.toEqualTypeOf<Instance>();
    // @ts-expect-error no store
    void launch(plain, { key: "k" });
    // @ts-expect-error no store among the options
    void launch(plain, { key: "k" }, { account: "a" });
    // @ts-expect-error gpu does not make a spawn idempotent
    void launch(gpus, { key: "k" });
  });

  test("needs none where it does", () => {
    expectTypeOf(launch(safe, { key: "k" })).resolves.toEqualTypeOf<Instance>();
    expectTypeOf(launch(safe, { key: "k" }, { account: "a" })).resolves.toEqualTypeOf<Instance>();
    expectTypeOf(launch(safe, { key: "k" }, { store })).resolves.toEqualTypeOf<Instance>();
  });

  test("takes a store for a provider whose type is not known yet", () => {
    const generic = async <P extends Provider>(provider: P, options: SpawnOptionsOf<P>): Promise<Instance> =>
      await launch(provider, options, { store, account: "a" });
    void generic;
  });

  test("takes the options of the provider's capabilities, and no others", () => {
    void launch(gpus, { key: "k", gpu: { count: 1 }, region: "eu" }, { store });
    // @ts-expect-error the provider has no spot
    void launch(gpus, { key: "k", spot: {} }, { store });
    const inVariable = { key: "k", gpu: { count: 1 } };
    // @ts-expect-error nor is it smuggled in by a variable
    void launch(plain, inVariable, { store });
  });

  test("checks placements in the same way, and answers the projected instance", () => {
    void launch(gpus, { key: "k" }, { store, placements: [{ region: "eu" }, { region: "us", spec: "a10" }] });
    // @ts-expect-error the provider has no regions
    void launch(plain, { key: "k" }, { store, placements: [{ region: "eu" }] });
    expectTypeOf(launch(gpus, { key: "k" }, { store })).resolves.not.toHaveProperty("own");
  });
});

describe("compose", () => {
  test("keeps the exact type, and carries what a layer adds", () => {
    const same: Layer = (provider) => provider;
    const adds = <P extends Provider>(provider: P): Supporting<P, "idempotentSpawn"> =>
      provider as unknown as Supporting<P, "idempotentSpawn">;
    expectTypeOf(compose(gpus, same, same)).toEqualTypeOf(gpus);
    void launch(compose(plain, same, adds), { key: "k" });
    // @ts-expect-error without that layer the promise is not there
    void launch(compose(plain, same), { key: "k" });
  });
});

describe("waitForBootstrap", () => {
  const from: BootstrapSource = { name: "a session", readBootstrap: async () => null };

  test("needs a source where the provider's type cannot read the bootstrap", () => {
    void waitForBootstrap(plain, "id", { from });
    void waitForBootstrap(plain, "id", { from: [from, from], timeoutMs: 1 });
    // @ts-expect-error no source
    void waitForBootstrap(plain, "id");
    // @ts-expect-error no source among the options
    void waitForBootstrap(gpus, "id", { timeoutMs: 1 });
    // @ts-expect-error an empty list is no source
    void waitForBootstrap(plain, "id", { from: [] });
    // @ts-expect-error nor is an absent one
    void waitForBootstrap(plain, "id", { from: undefined });
  });

  test("needs none where it can, and after the guard", () => {
    const reading = plain as Provider & BootstrapMethods;
    expectTypeOf(waitForBootstrap(reading, "id")).resolves.toHaveProperty("bootstrap").not.toBeUndefined();
    void waitForBootstrap(reading, "id", { from });
    if (canReadBootstrap(plain)) void waitForBootstrap(plain, "id");
  });
});

describe("the others", () => {
  test("waitForStatus takes any provider and knows the statuses", () => {
    expectTypeOf(waitForStatus(gpus, "id", ["running", "stopped"])).resolves.toEqualTypeOf<Instance>();
    // @ts-expect-error no such status
    void waitForStatus(plain, "id", "started");
  });

  test("runWorkflow takes and answers what the workflow's schemas say", () => {
    const flow = workflow({
      type: "t",
      version: 1,
      input: z.object({ n: z.number() }),
      output: z.object({ text: z.string() }),
      run: async (_ctx, { n }) => ({ text: `${n}` }),
    });
    expectTypeOf(runWorkflow(flow, { n: 1 }, { journal: store })).resolves.toEqualTypeOf<{ text: string }>();
    // @ts-expect-error another input
    void runWorkflow(flow, { n: "1" }, { journal: store });
    // @ts-expect-error no journal
    void runWorkflow(flow, { n: 1 }, {});
  });
});
