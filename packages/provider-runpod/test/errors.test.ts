import { ERROR_CODES, type ErrorCode } from "@slipway/core";
import type { HttpAnswer } from "@slipway/provider-kit/http";
import { describe, expect, test } from "vitest";
import { meaningOf } from "../src/errors.ts";
import { runpodErrorTable } from "../src/index.ts";
import { GPU } from "./runpod-harness.ts";
import { createsOf, rejection, type TestWorld, testWorld } from "./world.ts";

type Expected = readonly [id: string, call: keyof typeof CALLS, code: ErrorCode, effect: "none" | "unknown"];

const CALLS = {
  spawn: ({ provider }: TestWorld) => provider.spawn({ key: "a", spec: GPU }),
  terminate: async ({ provider }: TestWorld) =>
    await provider.terminate((await provider.spawn({ key: "t", spec: GPU })).id),
  stop: async ({ provider }: TestWorld) => await provider.stop((await provider.spawn({ key: "s", spec: GPU })).id),
  list: ({ provider }: TestWorld) => provider.list(),
  listVolumes: ({ provider }: TestWorld) => provider.listVolumes(),
  createVolume: ({ provider }: TestWorld) => provider.createVolume({ key: "v", sizeBytes: 10e9 }),
  deleteVolume: async ({ provider }: TestWorld) =>
    await provider.deleteVolume((await provider.createVolume({ key: "v", sizeBytes: 10e9 })).id),
} as const;

// Written out beside the table of the source: a change there has to be meant.
const ROWS: readonly Expected[] = [
  ["spend-limit", "spawn", "QUOTA_EXCEEDED", "none"],
  ["spend-limit-unclear", "spawn", "QUOTA_EXCEEDED", "unknown"],
  ["no-capacity", "spawn", "CAPACITY_ERROR", "none"],
  ["no-capacity-unclear", "spawn", "CAPACITY_ERROR", "unknown"],
  ["no-funds", "spawn", "QUOTA_EXCEEDED", "none"],
  ["volume-in-use", "deleteVolume", "INVALID_STATE", "none"],
  ["bad-request", "spawn", "INVALID_SPEC", "none"],
  ["bad-request", "createVolume", "INVALID_SPEC", "none"],
  ["unauthorized", "list", "AUTH_ERROR", "none"],
  ["unauthorized", "spawn", "AUTH_ERROR", "none"],
  ["insufficient-balance", "spawn", "QUOTA_EXCEEDED", "none"],
  ["missing-scope", "spawn", "AUTH_ERROR", "none"],
  ["pool-closed", "spawn", "AUTH_ERROR", "none"],
  ["access-denied", "list", "AUTH_ERROR", "none"],
  ["access-denied", "terminate", "AUTH_ERROR", "none"],
  ["blocked-by-proxy", "spawn", "INTERNAL", "unknown"],
  ["blocked-by-proxy", "list", "INTERNAL", "none"],
  ["unknown-thing-in-request", "spawn", "INVALID_SPEC", "none"],
  ["not-found", "listVolumes", "NOT_FOUND", "none"],
  ["method-not-allowed", "spawn", "INTERNAL", "unknown"],
  ["cluster-member", "terminate", "INVALID_STATE", "none"],
  ["action-not-allowed", "stop", "INVALID_STATE", "none"],
  ["api-retired", "list", "UNSUPPORTED", "none"],
  ["request-too-large", "spawn", "INVALID_SPEC", "none"],
  ["unprocessable", "spawn", "INVALID_SPEC", "none"],
  ["rate-limit", "list", "RATE_LIMIT_ERROR", "none"],
  ["rate-limit", "spawn", "RATE_LIMIT_ERROR", "none"],
  ["server-error", "spawn", "UNAVAILABLE", "unknown"],
  ["server-error", "terminate", "UNAVAILABLE", "unknown"],
  ["server-error", "list", "UNAVAILABLE", "none"],
];

test.each(ROWS)("%s at %s is %s, %s", async (row, call, code, effect) => {
  const world = testWorld();
  const when = effect === "none" ? "before" : "after";
  world.emulator.faults.add({ operation: call, when, row, times: 50 });
  const error = await rejection(CALLS[call](world));
  const scope = row === "pool-closed" ? "placement" : ERROR_CODES[code].scope;
  expect(error).toMatchObject({ code, effect, scope, provider: "runpod", operation: call });
  expect(error.native?.requestId).toMatch(/^req-/);
});

test("no row of the table is left out", () => {
  expect([...new Set(ROWS.map(([id]) => id))].sort()).toEqual(runpodErrorTable.map(({ id }) => id).sort());
});

test.each([
  "There are no longer any instances available with the requested specifications. Please refresh and try again.",
  "create pod: There are no instances currently available",
  "could not find any pods with required specifications",
  "This machine does not have the resources to deploy your pod",
  "There are not enough free GPUs on the host machine to start this pod.",
])("400 with %j is a lack of capacity", async (detail) => {
  const { clock, emulator, another } = testWorld();
  const provider = another({
    runtime: {
      clock,
      fetch: async (input, init) =>
        init?.method === "POST"
          ? new Response(JSON.stringify({ title: "Bad Request", status: 400, detail }), { status: 400 })
          : await emulator.fetch(input, init),
    },
  });
  const error = await rejection(provider.spawn({ key: "a", spec: GPU }));
  expect(error).toMatchObject({ code: "CAPACITY_ERROR", scope: "placement", effect: "none" });
  expect(error.message).toContain(detail);
});

describe("what the emulator says by itself", () => {
  test("402 for an account without funds, and nothing is tried again", async () => {
    const { provider, emulator } = testWorld({ balanceUsd: 0.5 });
    expect(await rejection(provider.spawn({ key: "a", spec: GPU }))).toMatchObject({ code: "QUOTA_EXCEEDED" });
    expect(createsOf(emulator)).toHaveLength(1);
    emulator.setBalance(5);
    expect(await provider.spawn({ key: "a", spec: GPU })).toMatchObject({ key: "a" });
  });

  test("the spend limit of the account", async () => {
    const { provider } = testWorld({ spendLimitUsdPerHour: 1 });
    await provider.spawn({ key: "a", spec: GPU });
    const error = await rejection(provider.spawn({ key: "b", spec: GPU }));
    expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", scope: "account", effect: "none" });
  });

  test("403 for a pool that is closed to the account: the next place may be open", async () => {
    const { provider, emulator } = testWorld();
    emulator.closePool({ spec: GPU, dataCenter: "EU-RO-1" });
    const error = await rejection(provider.spawn({ key: "a", spec: GPU, region: "EU-RO-1" }));
    expect(error).toMatchObject({ code: "AUTH_ERROR", scope: "placement", effect: "none" });
    expect(await provider.spawn({ key: "a", spec: GPU, region: "US-KS-2" })).toMatchObject({ region: "US-KS-2" });
  });

  test("410 at the old API", async () => {
    const { another } = testWorld();
    const error = await rejection(another({ baseUrl: "https://rest.runpod.io/v1" }).list());
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(error.message).toContain("API retired, upgrade");
  });

  test("404 for a GPU type that was named without asking the catalog", async () => {
    const { provider } = testWorld();
    const error = await rejection(provider.spawn({ key: "a", spec: "NVIDIA Nothing", region: "EU-RO-1" }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none", native: { status: 404 } });
    expect(error.message).toContain("NVIDIA Nothing");
  });

  test("a data centre without network volumes, and those that have them", async () => {
    const { provider } = testWorld();
    const error = await rejection(provider.createVolume({ key: "v", sizeBytes: 10e9, region: "CA-MTL-3" }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.message).toContain("EU-RO-1, US-KS-2");
  });

  test("a wrong key", async () => {
    const { another } = testWorld();
    const error = await rejection(another({ apiKey: "wr0ng-key-of-somebody" }).list());
    expect(error).toMatchObject({ code: "AUTH_ERROR", scope: "account" });
    expect(JSON.stringify(error)).not.toContain("wr0ng-key");
  });
});

test("429 is waited for, on the clock, and the call then succeeds", async () => {
  const { provider, clock } = testWorld({ rates: { minute: 3, hour: 3_000, day: 50_000 } });
  const begun = clock.now();
  for (let at = 0; at < 7; at += 1) await provider.list();
  expect(clock.now() - begun).toBeGreaterThanOrEqual(120_000);
  expect(clock.now() - begun).toBeLessThanOrEqual(181_000);
});

test("as RunPod's limits are documented, a burst of calls meets none of them", async () => {
  const events: string[] = [];
  const { clock, emulator, another } = testWorld({ rates: { minute: 60, hour: 3_000, day: 50_000 } });
  const provider = another({
    requestsPerMinute: undefined,
    requestsPerHour: undefined,
    requestsPerDay: undefined,
    runtime: { clock, fetch: emulator.fetch, onEvent: (event) => events.push(JSON.stringify(event)) },
  });
  await Promise.all(Array.from({ length: 300 }, () => provider.list()));
  expect(emulator.requests).toHaveLength(300);
  expect(events.some((event) => event.includes('"pacing"'))).toBe(true);
  expect(events.filter((event) => event.includes("retry-after"))).toEqual([]);
});

const said = (status: number, detail: string): HttpAnswer => ({
  status,
  headers: new Headers({ "content-type": "application/problem+json" }),
  text: detail,
  json: { title: "?", status, detail },
});

test.each([
  [409, "There are no longer any instances available with the requested specifications.", "CAPACITY_ERROR", "none"],
  [422, "This machine does not have the resources to deploy your pod", "CAPACITY_ERROR", "none"],
  [500, "create pod: There are no instances currently available", "CAPACITY_ERROR", "unknown"],
  [503, "could not find any pods with required specifications", "CAPACITY_ERROR", "unknown"],
  [400, "There is not enough funds in your account to rent this pod", "QUOTA_EXCEEDED", "none"],
  [400, "Pod would exceed your maximum hourly spend", "QUOTA_EXCEEDED", "none"],
  [500, "create pod: not enough funds", "QUOTA_EXCEEDED", "unknown"],
] as const)("%i %s", (status, detail, code, effect) => {
  expect(meaningOf(said(status, detail), "spawn")).toMatchObject({ code, effect });
});

test("access denied says nothing of capacity: the next place is tried, and at the end it is AUTH_ERROR", async () => {
  const { provider, emulator } = testWorld();
  const places = await provider.placements({ spec: GPU });
  emulator.closePool({});
  for (const place of places) {
    expect(await rejection(provider.spawn({ ...place, key: "job" }))).toMatchObject({
      code: "AUTH_ERROR",
      scope: "placement",
      effect: "none",
      retryable: false,
    });
  }
});
