import { describe, expect, it } from "vitest";
import {
  accepts,
  assertAccepts,
  type Capability,
  type CapabilityDefinition,
  capabilityDefinitionsOf,
  defineCapability,
  defineProvider,
  layer,
  type Provider,
  projectProvider,
  restrict,
  type SpawnOptions,
  supports,
} from "../src/index.ts";
import { definition, INSTANCE, rejection, subject, untyped } from "./subject.ts";

// This program merges nothing into the map (the type tests do): the name is one that only a package would know.
const CHECKPOINT = "checkpoint" as Capability;

const checkpoint = defineCapability({
  name: CHECKPOINT,
  description: "Freezes a running instance to disk.",
  options: { spawn: ["fromCheckpoint"], list: ["checkpointed"] },
  methods: { checkpoint: "instance", checkpointInfo: "plain", dropCheckpoint: "nothing" },
  cases: [],
});

const METHODS = {
  checkpoint: async () => ({ ...INSTANCE, own: "field" }),
  checkpointInfo: async () => ({ at: new Date(0), size: 5 }),
  dropCheckpoint: async () => ({ raw: true }),
};

function define(written: object, definitions: readonly CapabilityDefinition[]): Provider {
  // What the compiler would check in a program with the merged map is checked at run time here.
  return defineProvider<Provider>(written as Parameters<typeof defineProvider<Provider>>[0], {
    capabilityDefinitions: definitions,
  });
}
const on = (): Provider => define({ ...definition(), ...METHODS, capabilities: { [CHECKPOINT]: true } }, [checkpoint]);
const off = (): Provider =>
  define({ ...definition(), capabilities: {}, whyNot: { checkpoint: "Its kernel has no CRIU." } }, [checkpoint]);
const call = (provider: Provider, method: string): ((...args: readonly unknown[]) => Promise<unknown>) =>
  untyped(Reflect.get(provider, method));

describe("a third party's capability that is on", () => {
  it("has its flag, its methods and its options", async () => {
    const provider = on();
    expect(supports(provider, CHECKPOINT)).toBe(true);
    expect(await untyped(provider.spawn)({ fromCheckpoint: { id: "c" } })).toEqual(INSTANCE);
    expect(await untyped(provider.list)({ checkpointed: true })).toEqual([INSTANCE]);
    expect(await call(provider, "checkpoint")("i")).toMatchObject({ own: "field" });
  });

  it("frames its failures as those of a write", async () => {
    const fail = async (): Promise<never> => {
      throw new Error("criu");
    };
    const provider = define({ ...definition(), ...METHODS, checkpoint: fail, capabilities: { [CHECKPOINT]: true } }, [
      checkpoint,
    ]);
    expect(await rejection(call(provider, "checkpoint")("i"))).toMatchObject({
      code: "INTERNAL",
      effect: "unknown",
      operation: "checkpoint",
    });
  });

  it("is projected as its definition says", async () => {
    const provider = projectProvider(on());
    expect(await call(provider, "checkpoint")("i")).toStrictEqual(INSTANCE);
    expect(await call(provider, "checkpointInfo")("i")).toStrictEqual({ at: "1970-01-01T00:00:00.000Z", size: 5 });
    expect(await call(provider, "dropCheckpoint")("i")).toBeUndefined();
  });

  it("is copied as JSON would have it where it is no plain object", async () => {
    const written = { ...definition(), ...METHODS, checkpointInfo: async () => new Date(0) };
    const provider = projectProvider(define({ ...written, capabilities: { [CHECKPOINT]: true } }, [checkpoint]));
    expect(await call(provider, "checkpointInfo")("i")).toBe("1970-01-01T00:00:00.000Z");
  });

  it("is still described after layers, restriction and projection", async () => {
    const provider = on();
    expect(capabilityDefinitionsOf(provider)).toEqual([checkpoint]);
    expect(capabilityDefinitionsOf(layer((_call, next) => next())(provider))).toEqual([checkpoint]);
    expect(capabilityDefinitionsOf(projectProvider(provider))).toEqual([checkpoint]);

    const restricted = restrict(provider, CHECKPOINT);
    expect(capabilityDefinitionsOf(restricted)).toEqual([checkpoint]);
    expect(Object.keys(METHODS).filter((name) => name in restricted)).toEqual([]);
    expect(await rejection(untyped(restricted.spawn)({ fromCheckpoint: {} }))).toMatchObject({ code: "UNSUPPORTED" });
    expect(await rejection(untyped(restricted.list)({ checkpointed: true }))).toMatchObject({ code: "UNSUPPORTED" });

    const all = projectProvider(layer((_call, next) => next())(provider));
    expect(await call(all, "checkpoint")("i")).toStrictEqual(INSTANCE);
    expect(Object.keys(all)).not.toContain(String(Symbol.for("slipway.capabilityDefinitions")));
    expect(JSON.stringify(all)).not.toContain("Freezes");
  });
});

describe("a third party's capability that is off", () => {
  it("has its options refused, with the provider's sentence", async () => {
    expect(await rejection(untyped(off().spawn)({ fromCheckpoint: {} }))).toMatchObject({
      code: "UNSUPPORTED",
      effect: "none",
      message: "fromCheckpoint needs checkpoint, which subject does not support: Its kernel has no CRIU.",
    });
    expect(await rejection(untyped(off().list)({ checkpointed: true }))).toMatchObject({ code: "UNSUPPORTED" });
  });

  it("is seen by accepts", () => {
    // From a file or a terminal: the merged map of another program knows the option.
    const options = { fromCheckpoint: { id: "c" } } as SpawnOptions<Capability>;
    expect(accepts(on(), options)).toBe(true);
    expect(accepts(off(), options)).toBe(false);
    expect(() => assertAccepts(off(), options)).toThrow("subject does not support checkpoint: Its kernel has no CRIU.");
  });

  it("is an unknown option where nobody described it", async () => {
    expect(await rejection(untyped(subject().spawn)({ fromCheckpoint: {} }))).toMatchObject({ code: "INVALID_SPEC" });
    expect(capabilityDefinitionsOf(subject())).toEqual([]);
  });
});

describe("a case of a third party's capability", () => {
  const ran: string[] = [];
  const tried = defineCapability({
    ...checkpoint,
    name: CHECKPOINT,
    cases: [{ id: "checkpoint.freezes", title: "freezes", run: async ({ provider }) => void ran.push(provider.name) }],
  });
  const run = async (provider: Provider): Promise<void> =>
    await tried.cases[0]?.run({ provider, spawnOptions: () => ({ key: "k" }) });

  it("runs on a provider that has it, projected too", async () => {
    await run(on());
    await run(projectProvider(on()));
    expect(ran.splice(0)).toEqual(["subject", "subject"]);
  });

  it("is refused on one that has not, with the provider's sentence", async () => {
    expect(await rejection(run(off()))).toMatchObject({
      code: "UNSUPPORTED",
      effect: "none",
      operation: "checkpoint.freezes",
      message: "subject does not support checkpoint: Its kernel has no CRIU.",
    });
    expect(ran).toEqual([]);
  });
});

describe("a definition must fit the provider and the contract", () => {
  it("flag on, method missing", () => {
    expect(() => define({ ...definition(), capabilities: { [CHECKPOINT]: true } }, [checkpoint])).toThrow(
      "subject declares checkpoint, but has no checkpoint",
    );
  });

  it("method there, flag off", () => {
    expect(() => define({ ...definition(), ...METHODS, capabilities: {} }, [checkpoint])).toThrow(
      "subject has checkpoint, but declares checkpoint off",
    );
  });

  it.each<[string, Partial<CapabilityDefinition>]>([
    ["snapshots", { name: "snapshots" }],
    ["spawn", { methods: { spawn: "plain" } }],
    ["createVolume", { methods: { createVolume: "plain" } }],
    ["exec", { methods: { exec: "plain" } }],
    ["placements", { methods: { placements: "plain" } }],
    ["listOfferings", { methods: { listOfferings: "plain" } }],
    ["labels", { options: { spawn: ["labels"] } }],
    ["gpu", { options: { spawn: ["gpu"] } }],
    ["keys", { options: { list: ["keys"] } }],
  ])("%s has a meaning already", (word, change) => {
    expect(() => defineCapability({ ...checkpoint, ...change })).toThrow(
      `the contract already has a meaning for ${word}`,
    );
  });
});
