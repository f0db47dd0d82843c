import { describe, expect, it, vi } from "vitest";
import {
  CONTRACT_VERSION,
  defineProvider,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type Instance,
  type Provider,
  ProviderError,
  type ProviderHooks,
  ProviderRegistry,
  type Registrations,
  type Snapshot,
} from "../src/index.ts";
import { definition, INSTANCE, SNAPSHOT, subject } from "./subject.ts";

const SECRET = "sk-live-4711";
const quiet: ProviderHooks = {
  onStartup: async () => undefined,
  onShutdown: async () => undefined,
  onHeartbeat: async ({ tasks }) => ({ receipts: tasks.map((task) => ({ task, ok: true })) }),
};
const plain = subject({ spawn: async () => ({ ...INSTANCE, own: "field" }) });
const able = defineProvider<Provider<Instance, Snapshot, "snapshots" | "gpu">>({
  ...definition(),
  name: "able",
  capabilities: { snapshots: true, gpu: true },
  spawn: async () => INSTANCE,
  createSnapshot: async () => SNAPSHOT,
  getSnapshotStatus: async () => null,
  deleteSnapshot: async () => undefined,
  listSnapshots: async () => [],
});
const registry = new ProviderRegistry({
  plain: { provider: plain, hooks: quiet },
  able: { provider: able, hooks: quiet },
  nodes: { hooks: quiet },
});
const open = new ProviderRegistry<Registrations>({
  plain: { provider: plain, hooks: quiet },
  nodes: { hooks: quiet },
});
const thrown = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("expected an error");
};

describe("by name", () => {
  it("names are those that were registered", () => {
    expect(registry.names).toEqual(["plain", "able", "nodes"]);
  });

  it("get and registration are exact", () => {
    expect(registry.get("able")).toBe(able);
    expect(registry.registration("nodes")).toEqual({ hooks: quiet });
  });

  it.each(["azure", "constructor", "__proto__", "toString", ""])("%j is NOT_FOUND", (name) => {
    for (const find of [() => open.get(name), () => open.registration(name)]) {
      expect(thrown(find)).toMatchObject({
        code: "NOT_FOUND",
        effect: "none",
        message: `provider ${JSON.stringify(name)} is not registered`,
        hint: "Registered are: plain, nodes.",
      });
    }
    expect(open.lookup(name)).toBeUndefined();
  });

  it("one that has clusters alone has no provider", () => {
    expect(thrown(() => open.get("nodes"))).toMatchObject({
      code: "NOT_FOUND",
      message: 'provider "nodes" has no instances, only clusters',
    });
    expect(open.lookup("nodes")).toBeUndefined();
  });

  it("lookup is projected, and the same object each time", async () => {
    const found = registry.lookup("plain");
    expect(await registry.get("plain").spawn({})).toHaveProperty("own");
    expect(await found?.spawn({})).toStrictEqual(INSTANCE);
    expect(registry.lookup("plain")).toBe(found);
  });
});

it("supporting finds those that have all, projected", () => {
  expect(registry.supporting("gpu").map(({ name }) => name)).toEqual(["able"]);
  expect(registry.supporting("gpu", "snapshots")).toEqual([registry.lookup("able")]);
  expect(registry.supporting("gpu", "spot")).toEqual([]);
});

describe("contract versions", () => {
  const speaking = (contractVersion: unknown): (() => unknown) => {
    // A provider of another version of the package.
    const provider = { ...plain, contractVersion } as Provider;
    return () => new ProviderRegistry({ other: { provider, hooks: quiet } });
  };

  it.each([CONTRACT_VERSION, CONTRACT_VERSION - 1])("%d is spoken", (version) => {
    expect(speaking(version)()).toBeInstanceOf(ProviderRegistry);
  });

  it.each<[unknown, RegExp]>([
    [CONTRACT_VERSION + 1, /npm install @slipway\/core@latest/],
    [CONTRACT_VERSION - 2, /Upgrade the package of provider other/],
    [undefined, /Upgrade the package of provider other/],
    ["1", /Upgrade the package of provider other/],
  ])("%j is refused with the line that helps", (version, hint) => {
    const error = thrown(speaking(version));
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none", provider: "other" });
    expect(error).toHaveProperty("hint", expect.stringMatching(hint));
    expect(String(error)).toContain(`speaks contract ${version}, this core ${CONTRACT_VERSION}`);
  });
});

describe("hooks through a registry never throw", () => {
  const own = new ProviderError("AUTH_ERROR", {
    message: "the key is missing",
    provider: "auth",
    operation: "onStartup",
    effect: "none",
  });
  const hooked = new ProviderRegistry({
    fine: { hooks: quiet },
    auth: { hooks: { ...quiet, onStartup: () => Promise.reject(own) } },
    broken: {
      hooks: {
        ...quiet,
        onStartup: () => {
          throw new Error(SECRET);
        },
        onShutdown: () => Promise.reject(SECRET),
        onHeartbeat: () => Promise.reject(new Error(SECRET)),
      },
    },
  });
  const request: HeartbeatRequest = { tasks: ["health_check", "orphan_scan"], deadline: "2026-01-31T12:00:00Z" };

  it("startup answers a receipt for each, its own errors as they are", async () => {
    const receipts = await hooked.startup();
    expect(receipts).toMatchObject([
      { provider: "fine", ok: true },
      { provider: "auth", ok: false, error: { code: "AUTH_ERROR" } },
      { provider: "broken", ok: false, error: { code: "INTERNAL", operation: "onStartup", effect: "unknown" } },
    ]);
    expect(receipts[1]).toHaveProperty("error", own);
    expect(JSON.stringify(receipts)).not.toContain(SECRET);
  });

  it("shutdown reaches all, though one fails", async () => {
    const onShutdown = vi.fn(async () => undefined);
    const both = new ProviderRegistry({
      broken: { hooks: { ...quiet, onShutdown: () => Promise.reject(new Error(SECRET)) } },
      fine: { hooks: { ...quiet, onShutdown } },
    });
    expect(await both.shutdown()).toMatchObject([
      { provider: "broken", ok: false },
      { provider: "fine", ok: true },
    ]);
    expect(onShutdown).toHaveBeenCalledOnce();
  });

  it("a heartbeat answers a receipt for each task, in order", async () => {
    expect(await hooked.heartbeat("fine", request)).toEqual({
      receipts: [
        { task: "health_check", ok: true },
        { task: "orphan_scan", ok: true },
      ],
    });
    const failed = await hooked.heartbeat("broken", request);
    expect(failed.receipts).toMatchObject([
      { task: "health_check", ok: false, error: { code: "INTERNAL", operation: "onHeartbeat" } },
      { task: "orphan_scan", ok: false, error: { code: "INTERNAL" } },
    ]);
    expect(JSON.stringify(failed)).not.toContain(SECRET);
  });

  it.each<[string, unknown]>([
    ["forgot a task", { receipts: [{ task: "orphan_scan", ok: true }] }],
    ["answered no receipts", {}],
    ["answered nothing", undefined],
  ])("one that %s has failed it", async (_what, answer) => {
    const onHeartbeat = async (): Promise<HeartbeatAnswer> =>
      // A hook without types.
      answer as HeartbeatAnswer;
    const { receipts } = await new ProviderRegistry({ lazy: { hooks: { ...quiet, onHeartbeat } } }).heartbeat(
      "lazy",
      request,
    );
    expect(receipts.map(({ task }) => task)).toEqual(request.tasks);
    expect(receipts[0]).toMatchObject({ ok: false, error: { code: "INTERNAL", provider: "lazy" } });
  });

  it("a heartbeat of nobody is a failed receipt too", async () => {
    const { receipts } = await open.heartbeat("azure", request);
    expect(receipts).toMatchObject([
      { task: "health_check", ok: false, error: { code: "NOT_FOUND" } },
      { task: "orphan_scan", ok: false, error: { code: "NOT_FOUND" } },
    ]);
  });
});
