import { HEARTBEAT_TASKS, ProviderError } from "@slipway/core";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { answerHeartbeat, type HeartbeatTasks } from "@slipway/provider-kit/hooks";
import { expect, test } from "vitest";

const clock = simulatedClock();
const at = { provider: "cloud", clock };
const inMs = (ms: number): string => new Date(clock.now() + ms).toISOString();
const well: HeartbeatTasks = {
  health_check: async () => ({ healthy: true }),
  reconcile: async () => ({ running: 2 }),
  orphan_scan: async () => ({ ours: 2, others: 0 }),
  refresh_prices: async () => ({ prices: 3 }),
};

test("answers what was asked for, in that order", async () => {
  const request = { tasks: [...HEARTBEAT_TASKS].reverse(), deadline: inMs(1_000) };
  const { receipts } = await answerHeartbeat(request, well, at);
  expect(receipts.map(({ task }) => task)).toEqual(request.tasks);
  expect(receipts[3]).toEqual({ task: "health_check", ok: true, details: { healthy: true } });
  expect(clock.sleepers).toBe(0);
});

test("a task that fails leaves the others alone; what is no ProviderError is INTERNAL without its text", async () => {
  const known = new ProviderError("AUTH_ERROR", {
    message: "no",
    provider: "cloud",
    operation: "list",
    effect: "none",
  });
  const tasks: HeartbeatTasks = {
    ...well,
    reconcile: () => Promise.reject(known),
    orphan_scan: () => Promise.reject(new Error("token=hunter2")),
  };
  const { receipts } = await answerHeartbeat({ tasks: HEARTBEAT_TASKS, deadline: inMs(1_000) }, tasks, at);
  expect(receipts.map(({ ok }) => ok)).toEqual([true, false, false, true]);
  expect(receipts[1]).toMatchObject({ error: known });
  expect(receipts[2]).toMatchObject({ error: { code: "INTERNAL", provider: "cloud", effect: "none" } });
  expect(JSON.stringify(receipts)).not.toContain("hunter2");
});

test("a task that is not done by the deadline is TIMEOUT, whether it looks at its signal or not", async () => {
  const tasks: HeartbeatTasks = {
    ...well,
    health_check: () => new Promise(() => undefined),
    reconcile: async ({ signal }) => {
      await clock.sleep(60_000, signal);
      return {};
    },
  };
  const begun = clock.now();
  const { receipts } = await answerHeartbeat({ tasks: HEARTBEAT_TASKS, deadline: inMs(1_000) }, tasks, at);
  expect(receipts.slice(0, 2)).toMatchObject([{ error: { code: "TIMEOUT" } }, { error: { code: "TIMEOUT" } }]);
  expect(receipts.slice(2).every(({ ok }) => ok)).toBe(true);
  expect(clock.now() - begun).toBe(1_000);
});

test.each([
  ["has passed", "2020-01-01T00:00:00.000Z"],
  ["is none", "soon"],
])("a deadline that %s: nothing is begun", async (_, deadline) => {
  const begun: string[] = [];
  const note = async () => {
    begun.push("begun");
    return {};
  };
  const tasks: HeartbeatTasks = { health_check: note, reconcile: note, orphan_scan: note, refresh_prices: note };
  const { receipts } = await answerHeartbeat({ tasks: ["reconcile"], deadline }, tasks, at);
  expect(receipts).toMatchObject([{ task: "reconcile", ok: false, error: { code: "TIMEOUT", effect: "none" } }]);
  expect(begun).toEqual([]);
});
