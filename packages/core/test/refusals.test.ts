import { describe, expect, it, vi } from "vitest";
import {
  type BootstrapScript,
  checksumOf,
  defineProvider,
  type Instance,
  type Provider,
  type ProviderDefinition,
  type Snapshot,
  type SpawnOptions,
} from "../src/index.ts";
import { definition, INSTANCE, rejection, subject, untyped } from "./subject.ts";

const content = "echo hello ☃\n";
const script: BootstrapScript = {
  content,
  format: "shell",
  checksum: checksumOf(content),
  byteLength: Buffer.byteLength(content),
};

type Full = Provider<
  Instance,
  Snapshot,
  "gpu" | "multiRegion" | "spot" | "tailscaleNative" | "customNetworking" | "hibernation"
>;

/** A provider that takes nearly every option, and what reached its remote. */
function full() {
  const spawn = vi.fn(async (_options: SpawnOptions<never>) => INSTANCE);
  const on = {
    gpu: true,
    multiRegion: true,
    spot: true,
    tailscaleNative: true,
    customNetworking: true,
    hibernation: true,
  };
  const answer = async () => INSTANCE;
  const written = {
    ...definition(),
    spawn,
    capabilities: on,
    listRegions: async () => [],
    requestSpotInstance: vi.fn(async () => ({ requestId: "r", status: "open", instanceId: null })),
    cancelSpotRequest: async () => undefined,
    getSpotPrices: async () => [],
    hibernate: answer,
    resume: answer,
  };
  // Every flag that Full names is on, and its methods are there.
  return { provider: defineProvider<Full>(written as unknown as ProviderDefinition<Full>), spawn };
}

describe("a malformed option is refused before any call, and named", () => {
  const { provider, spawn } = full();
  it.each<[string, unknown]>([
    ["key", ""],
    ["key", "a".repeat(129)],
    ["key", "ключ"],
    ["key", null],
    ["key", 5],
    ["name", ""],
    ["name", "longer than 8"],
    ["name", 5],
    ["spec", ""],
    ["spec", {}],
    ["resources", []],
    ["resources.cpus", { cpus: 0 }],
    ["resources.memoryBytes", { memoryBytes: Number.NaN }],
    ["resources.diskBytes", { diskBytes: "10" }],
    ["resources", { cpu: 1 }],
    ["image", ""],
    ["bootstrap", "echo"],
    ["bootstrap", {}],
    ["bootstrap", { scirpt: "true", script: "true" }],
    ["bootstrap.script", { script: 5 }],
    ["bootstrap.environment", { script: "", environment: { A: 1 } }],
    [
      "bootstrap.files[1].path",
      {
        script: "",
        files: [
          { path: "/a", content: "" },
          { path: "b", content: "" },
        ],
      },
    ],
    ["bootstrap.features[0]", { script: "", features: ["cuda"] }],
    ["bootstrap", { ...script, checksum: checksumOf("other") }],
    ["bootstrap", { ...script, byteLength: content.length }],
    ["bootstrap", { ...script, format: "ignition" }],
    ["bootstrap", { ...script, content: 5 }],
    ["bootstrap", { ...script, stableChecksum: 5 }],
    ["ports", 80],
    ["ports[0]", [80]],
    ["ports[1].port", [{ port: 80 }, { port: 65_536 }]],
    ["ports[0].port", [{ port: 0 }]],
    ["ports[0].port", [{ port: "80" }]],
    ["ports[0].hostPort", [{ port: 80, hostPort: 1.5 }]],
    ["ports[0].protocol", [{ port: 80, protocol: "sctp" }]],
    ["ports[0]", [{ port: 80, hostport: 8080 }]],
    ["sshKeys", "ssh-ed25519 AAAA"],
    ["sshKeys[0]", ["AAAA"]],
    ["sshKeys[1]", ["ssh-ed25519 AAAA me", "ssh-ed25519 AAAA\nssh-ed25519 BBBB"]],
    ["labels", { a: 1 }],
    ["labels", [["a", "b"]]],
    ["labels", { a: "1", b: "2", c: "3" }],
    ["expiresAt", "tomorrow"],
    ["expiresAt", "2026-02-30T00:00:00Z"],
    ["expiresAt", "2026-01-31T12:00:00+02:00"],
    ["expiresAt", new Date()],
    ["maxUsdPerHour", 0],
    ["maxUsdPerHour", "1"],
    ["maxUsdPerHour", Number.POSITIVE_INFINITY],
    ["signal", {}],
    ["timeoutMs", -1],
    ["timeoutMs", "5s"],
    ["spot", true],
    ["spot.maxUsdPerHour", { maxUsdPerHour: -1 }],
    ["spot", { maxUsd: 1 }],
    ["gpu", {}],
    ["gpu.count", { count: 0.5 }],
    ["gpu.type", { count: 1, type: "" }],
    ["region", ""],
    ["tailscale", { hostname: "h" }],
    ["tailscale.tags[0]", { authKey: "secret-key", tags: [1] }],
    ["network.isolated", { isolated: "yes" }],
    ["hibernation", 1],
  ])("%s: %j", async (field, value) => {
    const option = /^[a-zA-Z]+/.exec(field)?.[0] ?? "";
    const error = await rejection(untyped(provider.spawn)({ [option]: value }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none", operation: "spawn", provider: "subject" });
    expect(String(error)).toMatch(new RegExp(`ProviderError: ${field.replace(/[[\].]/g, "\\$&")} `));
    expect(String(error)).not.toContain("secret-key");
    expect(spawn).not.toHaveBeenCalled();
  });

  it("also in a request for spot capacity", async () => {
    expect(await rejection(untyped(provider.requestSpotInstance)({ gpu: {} }))).toMatchObject({
      code: "INVALID_SPEC",
      operation: "requestSpotInstance",
      message: "gpu needs count",
    });
  });

  it("while a whole request passes, as a copy", async () => {
    const options = {
      key: "k",
      name: "n",
      resources: { cpus: 1, memoryBytes: 1, diskBytes: undefined },
      image: "debian",
      bootstrap: script,
      ports: [{ port: 80, protocol: "tcp" as const, hostPort: 8080 }],
      sshKeys: ["ssh-ed25519 AAAA me@here"],
      labels: { a: "1", b: "" },
      expiresAt: "2028-02-29T23:59:59.5Z",
      maxUsdPerHour: 0.5,
      spot: {},
      gpu: { type: "a10", count: 8 },
      region: "eu",
      network: { firewalls: ["f"], isolated: true },
      tailscale: { authKey: "secret-key", tags: ["tag:ci"] },
      hibernation: false,
    };
    await provider.spawn(options);
    expect(spawn.mock.lastCall?.[0]).toEqual(options);
    expect(spawn.mock.lastCall?.[0]).not.toBe(options);
  });
});

it("a filter of a capability that is on passes", async () => {
  expect(await full().provider.list({ region: "eu" })).toEqual([INSTANCE]);
});

describe("a malformed filter, id or call option is refused", () => {
  const provider = subject();
  it.each<[unknown, string]>([
    [{ ids: "i" }, "ids must be a list"],
    [{ keys: [5] }, "keys[0] must be a text"],
    [{ status: ["running", "up"] }, "status[1] must be one of"],
    [{ labels: { a: 1 } }, "labels must map"],
    [{ owner: "" }, "owner must be"],
    [{ key: "k" }, 'unknown filter "key"'],
    [null, "the filters must be an object"],
    ["i-1", "the filters must be an object"],
  ])("list(%j)", async (filter, message) => {
    const error = await rejection(untyped(provider.list)(filter));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(String(error)).toContain(message);
  });

  it.each([undefined, null, 5, { id: "i" }])("get and terminate of %j", async (id) => {
    for (const operation of ["get", "terminate"] as const) {
      expect(await rejection(untyped(provider[operation])(id))).toMatchObject({
        code: "INVALID_SPEC",
        effect: "none",
        message: `${operation} needs an id`,
      });
    }
  });

  it.each<[unknown, string]>([
    [{ timeoutMs: "5" }, "get: timeoutMs must be a number above 0"],
    [{ timeoutMs: 0 }, "get: timeoutMs must be a number above 0"],
    [{ signal: "abort" }, "get: signal must be an AbortSignal"],
    [5, "get: must be an object"],
  ])("get with the call options %j", async (call, message) => {
    expect(await rejection(untyped(provider.get)("i", call))).toMatchObject({ code: "INVALID_SPEC", message });
  });

  it("generateBootstrap of a malformed config", () => {
    const render = untyped(provider.generateBootstrap);
    expect(() => render({ environment: {} })).toThrow(/^bootstrap needs script$/);
    expect(() => render({ script: "", env: {} })).toThrow(/^bootstrap has no field "env"$/);
    expect(() => render(undefined)).toThrow(/^bootstrap must be an object$/);
  });
});
