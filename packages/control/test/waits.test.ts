import { type BootstrapTruth, isProviderError, layer, ProviderError, type RuntimeEvent } from "@slipway/core";
import { beforeEach, describe, expect, test } from "vitest";
import { type BootstrapSource, compose, terminateAndConfirm, waitForBootstrap, waitForStatus } from "../src/index.ts";
import {
  living,
  newWorld,
  type PlainProvider,
  plainProvider,
  safeProvider,
  setStatus,
  type World,
} from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

async function failureOf(work: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await work.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (isProviderError(error)) return error;
  throw error;
}

const network = () =>
  new ProviderError("NETWORK", { message: "broke", provider: "scripted", operation: "get", effect: "none" });

let clock: SimulatedClock;
let world: World;
let provider: PlainProvider;
let id: string;
let events: RuntimeEvent[];
let options: { clock: SimulatedClock; onEvent: (event: RuntimeEvent) => void };

beforeEach(async () => {
  clock = simulatedClock();
  world = newWorld(clock);
  provider = plainProvider(world);
  id = (await provider.spawn({ key: "k" })).id;
  events = [];
  options = { clock, onEvent: (event) => events.push(event) };
});

describe("waitForStatus", () => {
  test("a fresh instance that get does not show yet is waited for", async () => {
    expect((await waitForStatus(provider, id, "running", options)).id).toBe(id);
    expect(clock.elapsed()).toBeGreaterThanOrEqual(world.lagMs);
    expect(events.every((event) => event.type === "wait" && event.reason === "poll")).toBe(true);
    expect(events.length).toBeGreaterThan(1);
  });

  test("a read that was begun before it must show the instance is no proof, however late it is answered", async () => {
    const late = async (answer: unknown): Promise<unknown> => {
      const seen = await answer;
      await clock.sleep(300);
      return seen;
    };
    const slow = layer((call, next) => (call.operation === "get" ? late(next()) : next()));
    const slowly = compose(provider, slow);
    const seldom = { ...options, pollMs: 100 };
    expect((await waitForStatus(slowly, id, "running", seldom)).id).toBe(id);
    id = (await provider.spawn({ key: "other" })).id;
    setStatus(world, id, "running", { bootstrap: { state: "succeeded", exitCode: 0 } });
    const from = { name: "the session", readBootstrap: async () => null };
    expect((await waitForBootstrap(slowly, id, { ...seldom, from })).id).toBe(id);
  });

  test("any of several statuses ends it", async () => {
    setStatus(world, id, "stopped");
    clock.advance(2 * world.lagMs);
    expect((await waitForStatus(provider, id, ["running", "stopped"], options)).status).toBe("stopped");
  });

  test.each(["error", "terminated"] as const)(
    "%s rejects at once with the reason and the last lines",
    async (status) => {
      setStatus(world, id, status, { statusReason: { code: "Oops", message: "it fell over" } });
      clock.advance(2 * world.lagMs);
      world.logLines = Array.from({ length: 50 }, (_value, index) => `line ${index}`);
      const error = await failureOf(waitForStatus(provider, id, "running", options));
      expect(error).toMatchObject({ code: "INVALID_STATE", effect: "none", native: { id } });
      expect(error.message).toContain("Oops: it fell over");
      expect(error.message).toContain("line 49");
      expect(error.message).not.toContain("line 10\n");
    },
  );

  test("an error that is waited for is an answer", async () => {
    setStatus(world, id, "error");
    clock.advance(2 * world.lagMs);
    expect((await waitForStatus(provider, id, "error", options)).status).toBe("error");
  });

  test("a log that never ends does not hide the failure", async () => {
    const endless: PlainProvider = {
      ...provider,
      logs: async function* () {
        yield "the only line";
        await new Promise(() => undefined);
      },
    };
    setStatus(world, id, "error");
    clock.advance(2 * world.lagMs);
    const error = await failureOf(waitForStatus(endless, id, "running", options));
    expect(error.message).toContain("the only line");
  });

  test("an id that stays unknown for longer than reads lag is NOT_FOUND", async () => {
    const error = await failureOf(waitForStatus(provider, "m-99", "running", options));
    expect(error.code).toBe("NOT_FOUND");
    expect(clock.elapsed()).toBeGreaterThanOrEqual(world.lagMs);
  });

  test("an instance that vanishes has terminated, for those who wait for that", async () => {
    clock.advance(world.lagMs);
    const waiting = waitForStatus(provider, id, "terminated", {
      ...options,
      onEvent: () => world.machines.delete(id),
    });
    expect(await waiting).toMatchObject({ id, status: "terminated" });
  });

  test("reads that fail for a moment are repeated, others are told", async () => {
    clock.advance(world.lagMs);
    world.readFaults.push(network(), network());
    expect((await waitForStatus(provider, id, "running", options)).id).toBe(id);
    world.readFaults.push(new Error("what is this"));
    expect((await failureOf(waitForStatus(provider, id, "running", options))).code).toBe("INTERNAL");
  });

  test("timeoutMs and the signal end it", async () => {
    clock.advance(world.lagMs);
    const late = await failureOf(waitForStatus(provider, id, "stopped", { ...options, timeoutMs: 3000 }));
    expect(late).toMatchObject({ code: "TIMEOUT", effect: "none" });
    expect(late.message).toContain(`${id} could not be stopped in time: it is running`);
    const controller = new AbortController();
    const onEvent = () => controller.abort();
    const ended = waitForStatus(provider, id, "stopped", { clock, onEvent, signal: controller.signal });
    expect((await failureOf(ended)).code).toBe("CANCELLED");
  });

  test("pollMs is kept to", async () => {
    await waitForStatus(provider, id, "running", { ...options, pollMs: 1000 });
    expect(events.map((event) => (event.type === "wait" ? event.ms : 0))).toEqual([1000, 1000, 1000, 1000, 1000]);
  });
});

describe("waitForBootstrap", () => {
  beforeEach(() => clock.advance(world.lagMs));

  /** A way into the instance that answers one after the other, and the last one from then on. */
  function source(...answers: readonly (BootstrapTruth | null | Error)[]): BootstrapSource & { asked: number } {
    const made = {
      name: "the session",
      asked: 0,
      readBootstrap: async (): Promise<BootstrapTruth | null> => {
        const answer = answers[Math.min(made.asked, answers.length - 1)] ?? null;
        made.asked += 1;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    };
    return made;
  }
  const silent = source(null);
  const told = () => ({ ...options, from: silent });

  test("answers when it has succeeded", async () => {
    setStatus(world, id, "running", { bootstrap: { state: "running" } });
    const onEvent = () => setStatus(world, id, "running", { bootstrap: { state: "succeeded", exitCode: 0 } });
    const instance = await waitForBootstrap(provider, id, { clock, onEvent, from: silent });
    expect(instance.bootstrap).toEqual({ state: "succeeded", exitCode: 0 });
  });

  test("a failure shows exit code and last lines", async () => {
    setStatus(world, id, "running", { bootstrap: { state: "failed", exitCode: 7 } });
    world.logLines = ["apt-get: not found"];
    const error = await failureOf(waitForBootstrap(provider, id, told()));
    expect(error.code).toBe("INVALID_STATE");
    expect(error.message).toMatch(/exit code 7[\s\S]*apt-get: not found/);
  });

  test("an instance whose bootstrap cannot be known is UNSUPPORTED, not an endless wait", async () => {
    const error = await failureOf(waitForBootstrap(provider, id, told()));
    expect(error.code).toBe("UNSUPPORTED");
    expect(error.message).toContain("does not report bootstrap status, nor does the session");
  });

  test("a source answers where the provider does not", async () => {
    const from = source(null, { state: "pending" }, { state: "running" }, { state: "succeeded", exitCode: 0 });
    const instance = await waitForBootstrap(provider, id, { ...options, from });
    expect(instance.bootstrap).toEqual({ state: "succeeded", exitCode: 0 });
    expect(from.asked).toBe(4);
  });

  test("a source's last lines and exit code are in the error", async () => {
    const from = source({ state: "failed", exitCode: 3, lastLines: ["no such package"] });
    const error = await failureOf(waitForBootstrap(provider, id, { ...options, from: [silent, from] }));
    expect(error).toMatchObject({ code: "INVALID_STATE", operation: "waitForBootstrap", effect: "none" });
    expect(error.message).toMatch(/exit code 3[\s\S]*no such package/);
  });

  test("a connection that is lost is waited out, another failure is not", async () => {
    const done: BootstrapTruth = { state: "succeeded", exitCode: 0 };
    const from = source(network(), network(), done);
    expect((await waitForBootstrap(provider, id, { ...options, from })).bootstrap).toEqual(done);
    const broken = source(new Error("what is this"));
    expect(await waitForBootstrap(provider, id, { ...options, from: broken }).catch(String)).toContain("what is this");
  });

  test("past its time it shows the last lines that were read", async () => {
    const from = source({ state: "running", lastLines: ["unpacking"] });
    const error = await failureOf(waitForBootstrap(provider, id, { ...options, timeoutMs: 3000, from }));
    expect(error.code).toBe("TIMEOUT");
    expect(error.message).toContain("unpacking");
  });

  test("one that has not begun is not logged in to, and is as soon as it runs", async () => {
    setStatus(world, id, "pending");
    clock.advance(world.lagMs);
    let hasBegun = false;
    const from: BootstrapSource = {
      name: "the session",
      readBootstrap: async () => {
        // As an exec in a container that is still being made.
        if (!hasBegun) throw new Error("INVALID_STATE: it is not running");
        return { state: "succeeded", exitCode: 0 };
      },
    };
    const onEvent = () => {
      if (hasBegun) return;
      hasBegun = true;
      setStatus(world, id, "running");
    };
    const instance = await waitForBootstrap(provider, id, { clock, onEvent, from });
    expect(instance).toMatchObject({ status: "running", bootstrap: { state: "succeeded", exitCode: 0 } });
  });

  test("one that has ended is not logged in to", async () => {
    setStatus(world, id, "error", { statusReason: { code: "broken", message: "disk" } });
    clock.advance(world.lagMs);
    const from = source(new Error("unreachable"));
    const error = await failureOf(waitForBootstrap(provider, id, { ...options, from }));
    expect(error).toMatchObject({ code: "INVALID_STATE" });
    expect(from.asked).toBe(0);
  });

  test("a provider that reads it needs no source", async () => {
    const reading = {
      ...provider,
      readBootstrap: async (): Promise<BootstrapTruth> => ({ state: "failed", exitCode: 5, lastLines: ["own"] }),
    };
    const error = await failureOf(waitForBootstrap(reading, id, options));
    expect(error.message).toMatch(/exit code 5[\s\S]*own/);
  });
});

describe("terminateAndConfirm", () => {
  test("resolves only when get and list have agreed for a whole lag", async () => {
    clock.advance(world.lagMs);
    await terminateAndConfirm(provider, id, options);
    expect(living(world)).toEqual([]);
    // One lag until the reads show it, one more to be sure of it.
    expect(clock.elapsed()).toBeGreaterThanOrEqual(3 * world.lagMs);
    expect(world.calls.filter((call) => call === "terminate")).toHaveLength(1);
  });

  test("a fresh instance that no read shows is not taken for gone at once", async () => {
    await terminateAndConfirm(provider, id, options);
    expect(clock.elapsed()).toBeGreaterThanOrEqual(world.lagMs);
    expect(living(world)).toEqual([]);
  });

  test("a terminate that the remote forgot is sent again", async () => {
    clock.advance(world.lagMs);
    let forgotten = 0;
    const forgetful = layer((call, next) =>
      call.operation === "terminate" && forgotten++ === 0 ? Promise.resolve() : next(),
    );
    await terminateAndConfirm(compose(provider, forgetful), id, options);
    expect(forgotten).toBe(2);
    expect(living(world)).toEqual([]);
  });

  test("failures that pass are repeated, a refusal is told", async () => {
    world.terminateFaults.push(network(), network());
    await terminateAndConfirm(provider, id, options);
    expect(living(world)).toEqual([]);
    const denied = new ProviderError("AUTH_ERROR", {
      message: "no",
      provider: "scripted",
      operation: "terminate",
      effect: "none",
    });
    world.terminateFaults.push(denied);
    expect((await failureOf(terminateAndConfirm(provider, id, options))).code).toBe("AUTH_ERROR");
  });

  test("past its time it says that the termination was accepted", async () => {
    const stuck = layer((call, next) => (call.operation === "terminate" ? Promise.resolve() : next()));
    clock.advance(world.lagMs);
    const error = await failureOf(terminateAndConfirm(compose(provider, stuck), id, { ...options, timeoutMs: 20_000 }));
    expect(error).toMatchObject({ code: "TIMEOUT", effect: "applied" });
    expect(living(world)).toHaveLength(1);
  });

  test.each(["get", "list"])("as long as only %s says that it is gone, it is not confirmed", async (liar) => {
    clock.advance(world.lagMs);
    const lying = layer((call, next) => {
      if (call.operation === "terminate") return Promise.resolve();
      if (call.operation !== liar) return next();
      return Promise.resolve(liar === "get" ? null : []);
    });
    const error = await failureOf(terminateAndConfirm(compose(provider, lying), id, { ...options, timeoutMs: 30_000 }));
    expect(error.code).toBe("TIMEOUT");
  });

  test("an unknown id resolves", async () => {
    await terminateAndConfirm(provider, "m-99", options);
    expect(living(world)).toHaveLength(1);
  });
});

describe("compose", () => {
  test("the last layer sees a call first, and the type stays", async () => {
    const order: string[] = [];
    const noting = (name: string) =>
      layer((_call, next) => {
        order.push(name);
        return next();
      });
    const safe = safeProvider(world);
    const composed = compose(safe, noting("inner"), noting("outer"));
    const idempotent: true = composed.capabilities.idempotentSpawn;
    expect(idempotent).toBe(true);
    await composed.list();
    expect(order).toEqual(["outer", "inner"]);
    expect(compose(safe)).toBe(safe);
  });
});
