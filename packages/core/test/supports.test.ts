import { describe, expect, it, vi } from "vitest";
import {
  accepts,
  assertAccepts,
  assertSupports,
  canExec,
  canLog,
  defineProvider,
  type ExecMethods,
  type Instance,
  layer,
  type Provider,
  restrict,
  type Snapshot,
  supports,
} from "../src/index.ts";
import { definition, INSTANCE, rejection, SNAPSHOT, subject, untyped } from "./subject.ts";

type Subject = Provider<Instance, Snapshot, "snapshots" | "gpu" | "multiRegion"> &
  ExecMethods & { readonly rename: (name: string) => Promise<string> };

const spawn = vi.fn(async () => INSTANCE);
function able(): Subject {
  return defineProvider<Subject>({
    ...definition(),
    spawn,
    list: async () => [INSTANCE],
    capabilities: { snapshots: true, gpu: true, multiRegion: true },
    whyNot: { spot: "It sells none." },
    createSnapshot: async () => SNAPSHOT,
    getSnapshotStatus: async () => "available",
    deleteSnapshot: async () => undefined,
    listSnapshots: async () => [SNAPSHOT],
    listRegions: async () => [{ id: "eu", name: "Europe" }],
    exec: async () => ({ exitCode: 0, stdout: "", stderr: "" }),
    rename: async (name) => name,
  });
}
const message = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("supports and assertSupports", () => {
  it("read the flags", () => {
    const provider: Provider = able();
    expect(supports(provider, "snapshots")).toBe(true);
    expect(supports(provider, "snapshots", "gpu", "multiRegion")).toBe(true);
    expect(supports(provider, "snapshots", "spot")).toBe(false);
    expect(supports(provider, "spot", "snapshots")).toBe(false);
  });

  it("say why not", () => {
    const provider: Provider = able();
    expect(message(() => assertSupports(provider, "snapshots", "gpu"))).toBeUndefined();
    expect(message(() => assertSupports(provider, "gpu", "spot"))).toMatchObject({
      code: "UNSUPPORTED",
      effect: "none",
      operation: "spot",
      message: "subject does not support spot: It sells none.",
    });
    expect(message(() => assertSupports(provider, "warmVolumes"))).toMatchObject({
      message: "subject does not support warmVolumes",
    });
  });
});

describe("accepts and assertAccepts", () => {
  it("look at the options that are set", () => {
    const provider = able();
    expect(accepts(provider, { spec: "s", gpu: { count: 1 }, fromSnapshot: "s", region: "eu" })).toBe(true);
    expect(accepts(provider, { spot: undefined })).toBe(true);
    expect(accepts(provider, { gpu: { count: 1 }, spot: {} })).toBe(false);
    expect(accepts(provider, { hibernation: false })).toBe(false);
  });

  it("say what is missing, and why", () => {
    expect(message(() => assertAccepts(able(), { gpu: { count: 1 } }))).toBeUndefined();
    expect(message(() => assertAccepts(able(), { spot: {} }))).toMatchObject({
      code: "UNSUPPORTED",
      operation: "spawn",
      message: "subject does not support spot: It sells none.",
    });
  });
});

describe("canExec and canLog", () => {
  it("look for the function", () => {
    expect(canExec(able())).toBe(true);
    expect(canLog(able())).toBe(false);
    expect(canExec(subject())).toBe(false);
    expect(canExec({ exec: "no function" })).toBe(false);
    expect(canLog({ logs: () => undefined })).toBe(true);
  });
});

describe("restrict", () => {
  const plain = restrict(able(), "snapshots", "multiRegion");

  it("turns the flags off, says so, and takes the methods away", () => {
    expect(plain.capabilities).toMatchObject({ snapshots: false, multiRegion: false, gpu: true });
    expect("createSnapshot" in plain || "listRegions" in plain).toBe(false);
    expect(message(() => assertSupports(plain, "snapshots"))).toMatchObject({
      message: "subject does not support snapshots: it was restricted by its user",
    });
    expect(plain.whyNot.spot).toBe("It sells none.");
    expect(accepts(plain, { region: "eu" })).toBe(false);
  });

  it("refuses the options at run time, in spawn and in list", async () => {
    spawn.mockClear();
    for (const options of [{ fromSnapshot: "s" }, { region: "eu" }]) {
      expect(await rejection(untyped(plain.spawn)(options))).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    }
    expect(await rejection(untyped(plain.list)({ region: "eu" }))).toMatchObject({
      code: "UNSUPPORTED",
      operation: "list",
    });
    expect(spawn).not.toHaveBeenCalled();
  });

  it("leaves the rest alone, the provider's own methods too", async () => {
    expect(await plain.spawn({ gpu: { count: 1 }, region: undefined })).toEqual(INSTANCE);
    expect(await plain.list()).toEqual([INSTANCE]);
    expect(await plain.rename("n")).toBe("n");
    expect(canExec(plain)).toBe(true);
    expect(Object.isFrozen(plain)).toBe(true);
  });

  it("leaves the original alone", () => {
    const original = able();
    restrict(original, "gpu");
    expect(original.capabilities.gpu).toBe(true);
  });
});

describe("layer", () => {
  it("stands around every function and keeps the data", async () => {
    const seen: unknown[] = [];
    const traced = layer((call, next) => {
      seen.push(call);
      return next();
    })(able());
    expect(await traced.spawn({ key: "k" })).toEqual(INSTANCE);
    expect(await traced.createSnapshot("i", { key: "s" })).toEqual(SNAPSHOT);
    expect(await traced.rename("n")).toBe("n");
    traced.generateBootstrap({ script: "" });
    expect(seen).toEqual([
      { provider: "subject", operation: "spawn", args: [{ key: "k" }] },
      { provider: "subject", operation: "createSnapshot", args: ["i", { key: "s" }] },
      { provider: "subject", operation: "rename", args: ["n"] },
      { provider: "subject", operation: "generateBootstrap", args: [{ script: "" }] },
    ]);
    expect(traced.capabilities).toEqual(able().capabilities);
    expect(supports(traced, "snapshots")).toBe(true);
  });

  it("may answer by itself, call twice, or turn an error into another", async () => {
    const get = vi.fn(async () => INSTANCE);
    const cached = layer(({ operation }, next) => (operation === "get" ? Promise.resolve(null) : next()))(
      subject({ get }),
    );
    expect(await cached.get("i")).toBeNull();
    expect(get).not.toHaveBeenCalled();
    expect(await cached.list()).toEqual([INSTANCE]);

    const twice = layer(async (_call, next) => {
      await next();
      return next();
    })(subject({ get }));
    await twice.get("i");
    expect(get).toHaveBeenCalledTimes(2);
  });

  it("nests, the last one outermost", async () => {
    const order: string[] = [];
    const note = (name: string) =>
      layer((_call, next) => {
        order.push(name);
        return next();
      });
    await note("outer")(note("inner")(subject())).get("i");
    expect(order).toEqual(["outer", "inner"]);
  });
});
