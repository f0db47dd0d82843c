import type { ErrorCode, ErrorEffect, ErrorScope } from "@slipway/core";
import { expect, test } from "vitest";
import { lambdaErrorTable } from "../src/index.ts";
import { failure, type LambdaWorld, lambdaWorld } from "./world.ts";

type Operation = "spawn" | "terminate" | "list" | "createVolume" | "deleteVolume";
type Row = readonly [fixture: string, operation: Operation, code: ErrorCode, scope: ErrorScope, effect: ErrorEffect];

// What Lambda answers, by hand from its documents, and what a caller has to be told.
const EXPECTED: readonly Row[] = [
  ["invalid-api-key", "spawn", "AUTH_ERROR", "account", "none"],
  ["account-inactive", "spawn", "AUTH_ERROR", "account", "none"],
  ["invalid-address", "spawn", "AUTH_ERROR", "account", "none"],
  ["forbidden", "spawn", "AUTH_ERROR", "account", "none"],
  ["blocked-by-proxy", "spawn", "INTERNAL", "provider", "unknown"],
  ["blocked-by-proxy", "list", "INTERNAL", "provider", "none"],
  ["invalid-parameters", "spawn", "INVALID_SPEC", "request", "none"],
  ["too-many-instances", "spawn", "INVALID_SPEC", "request", "none"],
  ["unknown-thing-at-launch", "spawn", "INVALID_SPEC", "request", "none"],
  ["object-does-not-exist", "list", "NOT_FOUND", "request", "none"],
  ["not-found", "list", "NOT_FOUND", "request", "none"],
  ["quota-exceeded", "spawn", "QUOTA_EXCEEDED", "account", "none"],
  ["quota-exceeded", "createVolume", "QUOTA_EXCEEDED", "account", "none"],
  ["insufficient-capacity", "spawn", "CAPACITY_ERROR", "placement", "none"],
  ["file-system-in-wrong-region", "spawn", "INVALID_SPEC", "request", "none"],
  ["file-systems-not-supported", "spawn", "INVALID_SPEC", "request", "none"],
  ["duplicate", "createVolume", "CONFLICT", "request", "none"],
  ["filesystem-in-use", "deleteVolume", "INVALID_STATE", "request", "none"],
  ["firewall-ruleset-in-use", "deleteVolume", "INVALID_STATE", "request", "none"],
  ["key-in-use", "deleteVolume", "INVALID_STATE", "request", "none"],
  ["internal-error", "terminate", "UNAVAILABLE", "provider", "unknown"],
  ["conflict", "spawn", "BUSY", "request", "none"],
  ["unknown", "spawn", "UNAVAILABLE", "provider", "unknown"],
  ["provider-unavailable", "spawn", "CAPACITY_ERROR", "placement", "unknown"],
  ["provider-error", "terminate", "UNAVAILABLE", "provider", "unknown"],
  ["ticket-not-created", "terminate", "INTERNAL", "provider", "unknown"],
  ["too-many-requests", "spawn", "RATE_LIMIT_ERROR", "account", "none"],
  ["too-many-requests", "list", "RATE_LIMIT_ERROR", "account", "none"],
  ["bad-gateway", "spawn", "UNAVAILABLE", "provider", "unknown"],
  ["service-unavailable", "terminate", "UNAVAILABLE", "provider", "unknown"],
  ["gateway-timeout", "list", "UNAVAILABLE", "provider", "none"],
  ["garbled-answer", "spawn", "INTERNAL", "provider", "applied"],
  ["page-instead", "spawn", "INTERNAL", "provider", "unknown"],
  ["garbled-answer", "list", "INTERNAL", "provider", "none"],
  ["connection-refused", "spawn", "NETWORK", "provider", "none"],
  ["connection-reset", "spawn", "NETWORK", "provider", "unknown"],
  ["answer-timeout", "spawn", "TIMEOUT", "provider", "unknown"],
];

const CALLS: Readonly<Record<Operation, (world: LambdaWorld, id: string) => Promise<unknown>>> = {
  spawn: ({ provider }) => provider.spawn({ spec: "gpu_1x_a10", region: "us-west-1" }),
  terminate: ({ provider }, id) => provider.terminate(id),
  list: ({ provider }) => provider.list(),
  createVolume: ({ provider }) => provider.createVolume({ key: "data", sizeBytes: 1 }),
  deleteVolume: ({ provider }) => provider.deleteVolume("0123456789abcdef0123456789abcdef"),
};

test.each(EXPECTED)("%s at %s is %s, scope %s, effect %s", async (fixture, operation, code, scope, effect) => {
  const world = lambdaWorld();
  const { id } = await world.provider.spawn({ spec: "gpu_1x_a10", region: "us-west-1", key: "before" });
  world.emulator.control.faults.add({ operation, when: "before", row: fixture, times: 50 });

  const error = await failure(CALLS[operation](world, id));

  expect({ code: error.code, scope: error.scope, effect: error.effect }).toEqual({ code, scope, effect });
  expect(error).toMatchObject({ provider: "lambda", operation });
});

test("every row of the table is expected here", () => {
  const expected = new Set(EXPECTED.map(([fixture]) => fixture));
  expect(lambdaErrorTable.map(({ id }) => id).filter((id) => !expected.has(id))).toEqual([]);
});

test("Lambda's own code, sentence and status are in the error", async () => {
  const { provider, emulator } = lambdaWorld();
  emulator.control.setCapacity("gpu_1x_a10", "us-west-1", 0);
  const error = await failure(provider.spawn({ spec: "gpu_1x_a10", region: "us-west-1" }));
  expect(error.native).toMatchObject({ status: 400, code: "instance-operations/launch/insufficient-capacity" });
  expect(error.message).toContain("Not enough capacity");
  expect(error.hint).toContain("placements");
});

test("a code that does not look like one of Lambda's is not shown", async () => {
  const { emulator, another } = lambdaWorld();
  const body = JSON.stringify({ error: { code: "Bearer abc\nxyz", message: "no" } });
  const fetch: typeof globalThis.fetch = async () =>
    new Response(body, { status: 403, headers: { "content-type": "application/json" } });
  const error = await failure(another({ runtime: { clock: emulator.clock, fetch } }).list());
  expect(error.code).toBe("AUTH_ERROR");
  expect(JSON.stringify(error)).not.toContain("Bearer");
});

test("a 403 page of a proxy says nothing about the key, and why it may be there", async () => {
  const { provider, emulator } = lambdaWorld();
  emulator.control.faults.add({ operation: "list", when: "before", row: "blocked-by-proxy", times: 9 });
  const error = await failure(provider.list());
  expect(error.code).toBe("INTERNAL");
  expect(error.hint).toContain("User-Agent");
});

test.each([
  [409, "instance-operations/launch/insufficient-capacity", "CAPACITY_ERROR", "none"],
  [500, "instance-operations/launch/insufficient-capacity", "CAPACITY_ERROR", "none"],
  [429, "global/quota-exceeded", "QUOTA_EXCEEDED", "none"],
  [401, "global/account-inactive", "AUTH_ERROR", "none"],
  [404, "global/invalid-parameters", "INVALID_SPEC", "none"],
  [409, "global/object-does-not-exist", "INVALID_SPEC", "none"],
  [400, "global/unknown", "UNAVAILABLE", "unknown"],
  [504, "provider/internal-unavailable", "CAPACITY_ERROR", "unknown"],
] as const)("Lambda's code counts and not its status: %i %s", async (status, code, expected, effect) => {
  const { another, emulator } = lambdaWorld();
  const fetch: typeof globalThis.fetch = async (input, init) =>
    String(input).endsWith("/launch")
      ? Response.json({ error: { code, message: "?" } }, { status })
      : await emulator.fetch(input, init);
  const provider = another({ runtime: { clock: emulator.clock, fetch } });
  const error = await failure(provider.spawn({ spec: "gpu_1x_a10", region: "us-west-1", key: "job" }));
  expect(error).toMatchObject({ code: expected, effect, native: { code, status } });
});
