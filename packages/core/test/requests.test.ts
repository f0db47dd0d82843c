import { describe, expect, it, vi } from "vitest";
import { isKey, type SpawnOptions } from "../src/index.ts";
import { INSTANCE, LIMITS, rejection, subject, untyped } from "./subject.ts";

describe("a request that contradicts itself or is none", () => {
  it("spec beside resources", async () => {
    expect(await rejection(subject().spawn({ spec: "s", resources: { cpus: 1 } }))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
      message: "spec and resources exclude each other: give one of them",
    });
    expect(await subject().spawn({ spec: "s", resources: undefined })).toEqual(INSTANCE);
    const taking = subject({ limits: { ...LIMITS, specTakesResources: true } });
    expect(await taking.spawn({ spec: "s", resources: { cpus: 1 } })).toEqual(INSTANCE);
  });

  it.each([undefined, null, "spec", 5, [[]]])("spawn(%j)", async (request) => {
    expect(await rejection(untyped(subject().spawn)(request))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  });

  it.each(["constructor", "toString", "hasOwnProperty", "valueOf"])("an option called %s is unknown", async (name) => {
    const spawn = untyped(subject().spawn);
    expect(await rejection(spawn({ [name]: "x" }))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
      message: `unknown option "${name}"`,
    });
  });

  // The shapes of the contract have the names of what may be absent written so.
  it("a name that ends in ? is unknown, also where the contract has it without", async () => {
    expect(await rejection(untyped(subject().spawn)({ "spec?": "s" }))).toMatchObject({
      code: "INVALID_SPEC",
      message: 'unknown option "spec?"',
    });
    expect(await rejection(untyped(subject().spawn)({ resources: { "cpus?": 1 } }))).toMatchObject({
      code: "INVALID_SPEC",
      message: 'resources has no field "cpus?"',
    });
  });

  it("an own property called __proto__ is unknown", async () => {
    expect(await rejection(untyped(subject().spawn)(JSON.parse('{"__proto__":{"spec":"s"}}')))).toMatchObject({
      code: "INVALID_SPEC",
      message: 'unknown option "__proto__"',
    });
  });

  it("a misspelt option, unless it is the provider's own", async () => {
    expect(await rejection(untyped(subject().spawn)({ regoin: "eu" }))).toMatchObject({
      code: "INVALID_SPEC",
      message: 'unknown option "regoin"',
    });
    const own = subject({}, { ownOptions: ["rack"] });
    expect(await untyped(own.spawn)({ rack: 5 })).toEqual(INSTANCE);
    expect(await rejection(untyped(own.list)({ rack: 5 }))).toMatchObject({ message: 'unknown filter "rack"' });
  });
});

describe("an option whose capability is off is refused with the provider's own sentence", () => {
  const spawn = vi.fn(async () => INSTANCE);
  const provider = subject({ spawn, whyNot: { spot: "It sells no interruptible instances." } });

  it.each<[string, unknown, string]>([
    ["fromSnapshot", "s", "snapshots"],
    ["spot", { maxUsdPerHour: 1 }, "spot"],
    ["gpu", { count: 1 }, "gpu"],
    ["region", "eu", "multiRegion"],
    ["volumes", [], "persistentVolumes"],
    ["warmVolume", "pool", "warmVolumes"],
    ["hibernation", false, "hibernation"],
    ["tailscale", { authKey: "secret-key" }, "tailscaleNative"],
    ["network", {}, "customNetworking"],
  ])("%s", async (option, value, capability) => {
    // Held in a variable, which the compiler of a caller without types does not look into.
    const options: Record<string, unknown> = { spec: "s", [option]: value };
    const error = await rejection(untyped(provider.spawn)(options));
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(String(error)).toContain(`${option} needs ${capability}, which subject does not support`);
    expect(String(error).endsWith(": It sells no interruptible instances.")).toBe(option === "spot");
    expect(String(error)).not.toContain("secret-key");
    expect(spawn).not.toHaveBeenCalled();
  });

  it("also where it is inherited, or on another prototype", async () => {
    expect(await rejection(untyped(provider.spawn)(Object.create({ spot: {} })))).toMatchObject({
      code: "UNSUPPORTED",
    });
    class Options {
      readonly gpu = { count: 1 };
    }
    expect(await rejection(untyped(provider.spawn)(new Options()))).toMatchObject({ code: "UNSUPPORTED" });
  });

  it("but undefined counts as absent", async () => {
    expect(await untyped(provider.spawn)({ spot: undefined, regoin: undefined })).toEqual(INSTANCE);
    expect(spawn).toHaveBeenLastCalledWith({ key: expect.any(String) });
  });

  it("and list's filter likewise", async () => {
    expect(await rejection(untyped(provider.list)({ region: "eu" }))).toMatchObject({
      code: "UNSUPPORTED",
      effect: "none",
      operation: "list",
      message: "region needs multiRegion, which subject does not support",
    });
  });
});

it("a base option that the provider refuses is UNSUPPORTED with its sentence", async () => {
  const provider = subject({ refuses: { image: "One image fits all." } });
  expect(await rejection(provider.spawn({ image: "debian" }))).toMatchObject({
    code: "UNSUPPORTED",
    effect: "none",
    message: "image is not supported: One image fits all.",
  });
});

describe("keys", () => {
  it("a refused request is left as it was", async () => {
    const request: unknown[] = [];
    await rejection(untyped(subject().spawn)(request));
    expect(Object.keys(request)).toEqual([]);
  });

  it("a spawn without one gets a UUID, another each time", async () => {
    const spawn = vi.fn(async (_options: SpawnOptions) => INSTANCE);
    const provider = subject({ spawn });
    const options = { spec: "s" };
    await provider.spawn(options);
    await provider.spawn({ ...options, key: undefined });
    const keys = spawn.mock.calls.map(([given]) => given.key);
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(keys.every(isKey)).toBe(true);
    expect(keys[0]).not.toBe(keys[1]);
    expect(options).toEqual({ spec: "s" });
  });

  it("a caller who goes on with the same object does not change a request under way", async () => {
    const seen: unknown[] = [];
    const provider = subject({
      spawn: async (options) => {
        await Promise.resolve();
        seen.push(options.key);
        return INSTANCE;
      },
    });
    const options = { key: "one" };
    const first = provider.spawn(options);
    options.key = "two";
    await Promise.all([first, provider.spawn(options)]);
    expect(seen).toEqual(["one", "two"]);
  });
});
