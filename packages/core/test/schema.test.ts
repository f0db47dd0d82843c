import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import {
  BUILTIN_CAPABILITIES,
  capabilityTable,
  checksumOf,
  defineProvider,
  HEARTBEAT_TASKS,
  type Instance,
  type Provider,
  ProviderError,
  ProviderRegistry,
  type RuntimeEvent,
  type Snapshot,
} from "../src/index.ts";
import * as schema from "../src/schema/index.ts";
import { right } from "./schema-tie.ts";
import { definition, INSTANCE, rejection, SNAPSHOT, subject, untyped } from "./subject.ts";

const RESULT: readonly (readonly [string, z.ZodType, object])[] = [
  ["instance", schema.instanceSchema, { ...INSTANCE, resources: { cpus: 1, gpus: { type: "a10", count: 1 } } }],
  ["snapshot", schema.snapshotSchema, { ...SNAPSHOT }],
  [
    "volume",
    schema.volumeSchema,
    {
      id: "v",
      provider: "p",
      status: "attached",
      key: null,
      owner: null,
      sizeBytes: 1,
      attachedTo: "i",
      pool: "warm",
      createdAt: null,
    },
  ],
  ["spot request", schema.spotRequestSchema, { requestId: "r", status: "fulfilled", instanceId: "i" }],
  [
    "spot price",
    schema.spotPriceSchema,
    {
      usdPerHour: 0.1,
      per: "instance",
      asOf: "2026-01-31T12:00:00Z",
      source: "catalogue",
      spec: "s",
      region: "eu",
      zone: "z",
    },
  ],
  ["region", schema.regionSchema, { id: "eu", name: "Europe" }],
  [
    "cost",
    schema.costSchema,
    { usd: 1, from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", group: null, estimated: true },
  ],
  ["cluster", schema.clusterSchema, { name: "c", owner: "o", createdAt: null, nodes: [] }],
  [
    "cluster node",
    schema.clusterNodeSchema,
    { id: "n", name: "n", cluster: "c", role: "worker", status: "running", image: "node" },
  ],
];

describe.each(RESULT)("a result: %s", (_name, one, value) => {
  it("comes back from JSON as it went", () => {
    expect(one.parse(JSON.parse(JSON.stringify(value)))).toStrictEqual(value);
  });
  it("loses what the contract does not know", () => {
    expect(one.parse({ ...value, own: "field" })).toStrictEqual(value);
  });
  it("lacks no field that must be there, and none is undefined", () => {
    for (const name of Object.keys(value)) {
      const { [name]: _gone, ...rest } = value as Record<string, unknown>;
      const gone = one.safeParse(rest);
      if (gone.success) expect(one.safeParse({ ...rest, [name]: undefined }).success).toBe(false);
      else expect(gone.error.issues[0]?.path[0]).toBe(name);
    }
  });
});

it("an instance is read at any time of its life, and with no invented value", () => {
  const parse = (change: object): boolean => schema.instanceSchema.safeParse({ ...INSTANCE, ...change }).success;
  for (const status of ["pending", "hibernated", "terminated", "unknown"]) expect(parse({ status })).toBe(true);
  expect(parse({ status: "up" })).toBe(false);
  expect(parse({ createdAt: "yesterday" })).toBe(false);
  expect(parse({ createdAt: "2026-01-31T12:00:00+02:00" })).toBe(false);
  expect(parse({ price: { usdPerHour: 1, per: "instance", asOf: "2026-01-31T12:00:00Z" } })).toBe(false);
  expect(parse({ addresses: undefined })).toBe(false);
});

describe("spawn options", () => {
  const options = {
    key: "k",
    spec: "small",
    bootstrap: { script: "true", features: ["docker"] },
    ports: [{ port: 80, protocol: "udp" }],
    sshKeys: ["ssh-ed25519 AAAA"],
    labels: { a: "1" },
    expiresAt: "2026-01-31T12:00:00Z",
    spot: { maxUsdPerHour: 1 },
    gpu: { count: 1 },
    volumes: [{ id: "v", mountPath: "/data" }],
    network: { isolated: true },
    tailscale: { authKey: "secret-key" },
    region: undefined,
  };

  it("are parsed, undefined allowed", () => {
    expect(schema.spawnOptionsSchema.parse(options)).toEqual(options);
    // Whether a spec takes resources beside it is the provider's to say.
    const both = { ...options, resources: { cpus: 1 } };
    expect(schema.spawnOptionsSchema.parse(both)).toEqual(both);
  });

  it.each<[string, unknown, string]>([
    ["key", "a".repeat(129), "key"],
    ["regoin", "eu", ""],
    ["resources", { cpu: 1 }, "resources"],
    ["gpu", { count: 0 }, "gpu.count"],
    ["spot", { maxUsd: 1 }, "spot"],
    ["ports", [{ port: 80 }, { port: 0 }], "ports.1.port"],
    ["volumes", [{ id: "v", mountPath: "data" }], "volumes.0.mountPath"],
    ["expiresAt", "2026-02-30T00:00:00Z", "expiresAt"],
    ["signal", {}, "signal"],
  ])("%s: %j is refused, and named", (field, value, path) => {
    const { error } = schema.spawnOptionsSchema.safeParse({ ...options, [field]: value });
    expect(error?.issues.map((issue) => issue.path.join("."))).toContain(path);
    expect(JSON.stringify(error?.issues)).not.toContain("secret-key");
  });

  it("name every option that the eleven unlock", () => {
    for (const capability of BUILTIN_CAPABILITIES) {
      for (const option of Object.keys(capabilityTable[capability].spawn)) {
        const { error } = schema.spawnOptionsSchema.safeParse({ [option]: Symbol("no value fits") });
        expect(error?.issues[0]?.path).toEqual([option]);
      }
    }
  });

  // The schema and `spawn` are two guards of one contract: what one takes, the other must not refuse.
  it("are taken by spawn exactly where the schema takes them", async () => {
    const provider = subject({ limits: { ...subject().limits, maxLabels: 1000, nameMaxLength: 1000 } });
    const junk = fc.constantFrom(null, 5, "", [], {}, true, -1, Number.NaN, "ключ", [null], [{}]);
    const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
    const values = {
      key: fc.string({ maxLength: 130, unit: "grapheme-ascii" }),
      name: fc.string({ maxLength: 20 }),
      spec: fc.string({ maxLength: 3 }),
      resources: fc.dictionary(fc.constantFrom("cpus", "diskBytes", "cpu"), number, { maxKeys: 2 }),
      ports: fc.array(
        fc.record({ port: fc.integer({ min: -5, max: 70_000 }), protocol: fc.constantFrom("tcp", "udp", "x") }),
        { maxLength: 3 },
      ),
      labels: fc.dictionary(fc.string(), fc.oneof({ weight: 9, arbitrary: fc.string() }, junk)),
      expiresAt: fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date(1e14) })
        .map((date) => date.toISOString()),
      maxUsdPerHour: number,
      timeoutMs: number,
      bootstrap: fc.record({
        script: fc.string(),
        files: fc.array(fc.record({ path: fc.constantFrom("/a", "a"), content: fc.string() }), { maxLength: 2 }),
      }),
      sshKeys: fc.array(fc.constantFrom("ssh-rsa AAAA", "ssh-rsa AAAA me", "AAAA", "ssh-rsa AAAA\nx"), {
        maxLength: 2,
      }),
    };
    const requests = fc
      .constantFrom(...Object.entries(values))
      .chain(([name, value]) =>
        fc.record({ [name]: fc.oneof({ weight: 4, arbitrary: value as fc.Arbitrary<unknown> }, junk) }),
      );
    let taken = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const fits = schema.spawnOptionsSchema.safeParse(request).success;
        const answer = await untyped(provider.spawn)(request).catch((error: unknown) => error);
        expect(answer === INSTANCE).toBe(fits);
        if (fits) taken++;
        else refused++;
      }),
      { numRuns: 500 },
    );
    expect(Math.min(taken, refused)).toBeGreaterThan(50);
  });
});

describe("list filters", () => {
  it("are parsed and refused", () => {
    const filter = { ids: ["i"], keys: ["k"], status: ["running"], labels: {}, owner: "*", region: "eu" };
    expect(schema.listFilterSchema.parse(filter)).toEqual(filter);
    expect(schema.listFilterSchema.safeParse({ key: "k" }).success).toBe(false);
    expect(schema.listFilterSchema.safeParse({ status: ["up"] }).success).toBe(false);
  });
});

describe("bootstraps", () => {
  it("are a config or a rendered script", () => {
    const script = { content: "true\n", format: "shell", checksum: checksumOf("true\n"), byteLength: 5 };
    expect(schema.bootstrapSchema.parse(script)).toEqual(script);
    expect(schema.bootstrapScriptSchema.parse(script)).toEqual(script);
    expect(schema.bootstrapConfigSchema.safeParse(script).success).toBe(false);
    expect(schema.bootstrapScriptSchema.safeParse({ ...script, checksum: "abc" }).success).toBe(false);
    expect(schema.bootstrapConfigSchema.safeParse({ script: "", env: {} }).success).toBe(false);
  });
});

describe("errors, receipts and events come from what core makes", () => {
  const error = new ProviderError("RATE_LIMIT_ERROR", {
    message: "m",
    provider: "p",
    operation: "spawn",
    effect: "none",
    retryAfterMs: 5,
    native: { status: 429 },
    hint: "Wait.",
    cause: new Error("c"),
  });

  it("a serialized error", () => {
    expect(schema.providerErrorSchema.parse(JSON.parse(JSON.stringify(error)))).toStrictEqual(error.toJSON());
    expect(schema.providerErrorSchema.safeParse({ ...error.toJSON(), code: "OOPS" }).success).toBe(false);
  });

  it("a heartbeat and its receipts", async () => {
    const request = { tasks: [...HEARTBEAT_TASKS], deadline: "2026-01-31T12:00:00Z" };
    expect(schema.heartbeatRequestSchema.parse(request)).toEqual(request);
    expect(schema.heartbeatRequestSchema.safeParse({ ...request, tasks: ["cleanup"] }).success).toBe(false);
    const registry = new ProviderRegistry({
      p: {
        hooks: {
          onStartup: async () => undefined,
          onShutdown: async () => undefined,
          onHeartbeat: async () => ({ receipts: [{ task: "health_check", ok: true, details: { ms: 5 } }] }),
        },
      },
    });
    const answer: unknown = JSON.parse(JSON.stringify(await registry.heartbeat("p", request)));
    expect(schema.heartbeatAnswerSchema.parse(answer)).toStrictEqual(answer);
    expect(schema.receiptSchema.safeParse({ task: "health_check", ok: false }).success).toBe(false);
  });

  it("every event that a call sends", async () => {
    const events: RuntimeEvent[] = [];
    const provider = defineProvider<Provider<Instance, Snapshot>>(definition(), {
      runtime: { onEvent: (event) => void events.push(event) },
    });
    await provider.spawn({ key: "k" });
    await rejection(provider.spawn({ key: "" }));
    expect(events).toHaveLength(4);
    for (const event of events) expect(schema.runtimeEventSchema.parse(event)).toStrictEqual(event);
    expect(schema.runtimeEventSchema.safeParse({ ...events[0], type: "call.middle" }).success).toBe(false);
  });
});

it("a cluster's config is strict", () => {
  const config = { name: "dev", nodes: 3, portMappings: [{ containerPort: 80, hostPort: 8080 }] };
  expect(schema.clusterConfigSchema.parse(config)).toEqual(config);
  for (const change of [{ name: "Dev" }, { name: "-dev" }, { nodes: 0 }, { size: 3 }]) {
    expect(schema.clusterConfigSchema.safeParse({ ...config, ...change }).success).toBe(false);
  }
});

it("prices and cost queries", () => {
  expect(
    schema.priceSchema.safeParse({ usdPerHour: 1, per: "instance", asOf: "2026-01-31T12:00:00Z", source: "live" })
      .success,
  ).toBe(true);
  expect(schema.costQuerySchema.safeParse({ from: "2026-01-01T00:00:00Z" }).success).toBe(false);
});

it("a tied schema parses", () => {
  expect(right.parse({ id: "i", kind: "a", nested: { list: [1] } })).toEqual({
    id: "i",
    kind: "a",
    nested: { list: [1] },
  });
});
