import { isProviderError } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { launch, memoryStore, reconcile, waitForStatus } from "../src/index.ts";
import { queueProvider, Scheduler } from "./queueing-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

const HOUR_MS = 3_600_000;
const options = { key: "fold-7", gpu: { count: 2 } };

function lab() {
  const clock = simulatedClock();
  const scheduler = new Scheduler(clock, 8);
  const store = memoryStore();
  const provider = queueProvider(scheduler);
  return { clock, scheduler, store, provider, submit: () => launch(provider, options, { store, clock }) };
}

describe("a provider that queues", () => {
  it("has spawned when the job is accepted, and says why it waits", async () => {
    const { submit } = lab();
    expect(await submit()).toMatchObject({ status: "pending", statusReason: { code: "Priority" } });
  });

  it("is waited for over hours, with few looks, and a wait that ends takes nothing away", async () => {
    const { clock, scheduler, provider, submit } = lab();
    const { id } = await submit();
    const patience = { clock, pollMs: 60_000 };
    const tired = await waitForStatus(provider, id, "running", { ...patience, timeoutMs: HOUR_MS }).catch(
      (error: unknown) => error,
    );
    expect(isProviderError(tired, "TIMEOUT") && tired.effect).toBe("none");
    expect(scheduler.looks).toBeLessThanOrEqual(61);
    expect((await submit()).id).toBe(id);

    const waiting = waitForStatus(provider, id, "running", { ...patience, timeoutMs: 24 * HOUR_MS });
    await clock.sleep(5 * HOUR_MS);
    scheduler.start(id);
    expect(await waiting).toMatchObject({ id, status: "running" });
  });

  it("may put a running job back: the same id, pending again, and no failure", async () => {
    const { clock, scheduler, provider, submit } = lab();
    const { id } = await submit();
    scheduler.start(id);
    scheduler.requeue(id);
    expect(await provider.get(id)).toMatchObject({ status: "pending", queue: { restarts: 1 } });
    expect((await submit()).id).toBe(id);
    const waiting = waitForStatus(provider, id, "running", { clock, pollMs: 60_000, timeoutMs: HOUR_MS });
    scheduler.start(id);
    expect(await waiting).toMatchObject({ id });
  });

  it("may go on under another id: the key finds it, and nothing is submitted again", async () => {
    const { scheduler, store, provider, submit, clock } = lab();
    const { id } = await submit();
    const moved = scheduler.move(id);
    expect(await provider.get(id)).toMatchObject({ status: "terminated" });
    await clock.sleep(2 * provider.limits.readAfterWriteMs);
    expect((await submit()).id).toBe(moved.id);
    expect(scheduler.jobs).toHaveLength(2);
    await clock.sleep(2 * provider.limits.readAfterWriteMs);
    expect((await reconcile(provider, { store, clock })).items).toEqual([]);
  });

  it("looks an answer up that was lost, and submits nothing twice", async () => {
    const { scheduler, submit } = lab();
    scheduler.loseNextReply = true;
    const outcome = await submit().catch((error: unknown) => error);
    if (isProviderError(outcome)) expect(outcome.effect).toBe("unknown");
    expect((await submit()).id).toBe("1000");
    expect(scheduler.jobs).toHaveLength(1);
  });

  it("refuses at once what could never start, and tells it from a limit", async () => {
    const { scheduler, provider } = lab();
    await expect(provider.spawn({ key: "big", gpu: { count: 9 } })).rejects.toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
    });
    scheduler.maxJobs = 0;
    await expect(provider.spawn(options)).rejects.toMatchObject({ code: "QUOTA_EXCEEDED", retryable: false });
  });
});
