import assert from "node:assert/strict";
import {
  accepts,
  assertAccepts,
  capabilityDefinitionsOf,
  deadline,
  defineCapability,
  defineProvider,
  isProviderError,
  mayRepeat,
  nameFor,
  type Provider,
  ProviderError,
  ProviderRegistry,
  projectProvider,
  restrict,
  runtimeDefaults,
  sha256,
  silentLog,
  specHash,
} from "@slipway/core";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { memory } from "@slipway/provider-memory";
import type { RuleId } from "../../src/ids.ts";
import { failure, house, OWNER, SPEC, unclear } from "./house.ts";

const hooks = {
  onStartup: async (): Promise<void> => {
    throw new Error("no tool");
  },
  onShutdown: async (): Promise<void> => undefined,
  onHeartbeat: async (): Promise<never> => {
    throw new Error("no tool");
  },
};

/** The rules that core keeps for every provider, each with what would find it broken. */
export const coreCases: { readonly [Id in RuleId]?: () => Promise<void> } = {
  "OWNER-08": async () => {
    const letters = "abcdefghijklmnopqrstuvwxyz234567";
    const base32 = (text: string, length: number): string => {
      const bits = [...sha256(text)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
      return Array.from({ length }, (_, i) => letters[Number.parseInt(bits.slice(i * 5, i * 5 + 5), 2)]).join("");
    };
    for (const [owner, key] of [
      ["a", "b"],
      ["team-blue", "job 17 / ~"],
    ] as const) {
      assert.equal(nameFor(owner, key), `slip-${base32(owner, 8)}-${base32(key, 20)}`);
    }
  },
  "KEY-09": async () => {
    const base = { spec: "x", labels: { a: "1", b: "2" }, bootstrap: { script: "s", registrationToken: "one" } };
    const same = { labels: { b: "2", a: "1" }, bootstrap: { registrationToken: "two", script: "s" }, spec: "x" };
    assert.equal(specHash({ ...base, timeoutMs: 5, signal: AbortSignal.abort() }), specHash(same));
    assert.notEqual(specHash(base), specHash({ ...base, spec: "y" }));
  },
  "CAP-06": async () => {
    const { provider } = house();
    const plain: Provider = restrict(provider, "gpu");
    assert.equal(accepts(plain, { gpu: { count: 1 } }), false);
    assert.equal(accepts(plain, SPEC), true);
    const said = await failure(() => plain.spawn({ gpu: { count: 1 } } as never));
    assert.throws(
      () => assertAccepts(plain, { gpu: { count: 1 } }),
      (error) => isProviderError(error, "UNSUPPORTED"),
    );
    assert.ok(isProviderError(said, "UNSUPPORTED"));
  },
  "CAP-07": async () => {
    const { provider } = house();
    const { capabilities: _flags, ...members } = provider;
    const lies = { ...members, capabilities: { snapshots: false } } as never;
    assert.throws(() => defineProvider<Provider>(lies), /declares snapshots off/);
  },
  "CAP-08": async () => {
    const { provider } = house();
    const pausing = defineCapability({
      name: "pausing" as never,
      description: "stops the clock of an instance",
      options: { spawn: ["pausable"] },
      methods: { pause: "plain" },
      cases: [{ id: "pauses", title: "pauses", run: async () => undefined }],
    });
    const { name, owner, tier, limits, spawn, terminate, list, get, generateBootstrap } = provider;
    const members = { name, owner, tier, limits, spawn, terminate, list, get, generateBootstrap };
    const options = { capabilityDefinitions: [pausing] };
    const on = { ...members, capabilities: { pausing: true }, pause: async () => "paused" } as never;
    const off = { ...members, capabilities: {} } as never;
    const refused = await failure(() => defineProvider<Provider>(off, options).spawn({ pausable: true } as never));
    assert.ok(isProviderError(refused, "UNSUPPORTED"));
    const projected = projectProvider(defineProvider<Provider>(on, options));
    assert.ok("pause" in projected);
    assert.deepEqual(capabilityDefinitionsOf(projected)[0]?.cases[0]?.id, "pauses");
  },
  "PROJ-04": async () => {
    const { provider } = house();
    const registry = new ProviderRegistry({ memory: { provider, hooks } });
    assert.equal(registry.get("memory"), provider);
    const erased = registry.lookup("memory");
    assert.notEqual(erased, provider);
    assert.equal(erased?.name, "memory");
    assert.equal(registry.lookup("toString"), undefined);
  },
  "EFFECT-06": async () => {
    const idempotent = { capabilities: { idempotentSpawn: true } };
    const plain = { capabilities: { idempotentSpawn: false } };
    const quota = new ProviderError("QUOTA_EXCEEDED", {
      message: "x",
      provider: "x",
      operation: "spawn",
      effect: "none",
    });
    const told = [unclear("none"), unclear("unknown"), quota].map((error) => [
      mayRepeat(error, plain),
      mayRepeat(error, idempotent),
    ]);
    assert.deepEqual(told, [
      [true, true],
      [false, true],
      [false, false],
    ]);
  },
  "HOOK-08": async () => {
    const registry = new ProviderRegistry({ broken: { hooks } });
    const [started] = await registry.startup();
    assert.ok(started !== undefined && !started.ok && isProviderError(started.error, "INTERNAL"));
    const deadlineAt = "2030-01-01T00:00:00Z";
    const { receipts } = await registry.heartbeat("broken", { tasks: ["health_check"], deadline: deadlineAt });
    assert.deepEqual(
      receipts.map(({ task, ok }) => [task, ok]),
      [["health_check", false]],
    );
  },
  "REGISTRY-01": async () => {
    const { provider } = house();
    const of = (contractVersion: number) => ({ aged: { provider: { ...provider, contractVersion }, hooks } });
    for (const good of [provider.contractVersion, provider.contractVersion - 1]) new ProviderRegistry(of(good));
    for (const bad of [provider.contractVersion + 1, provider.contractVersion - 2]) {
      assert.throws(
        () => new ProviderRegistry(of(bad)),
        (error) => isProviderError(error, "UNSUPPORTED") && /[Uu]pgrade/.test(error.hint ?? ""),
      );
    }
  },
  "RUNTIME-01": async () => {
    const { world } = house();
    const onEvent = (): void => {
      throw new Error("a broken listener");
    };
    const provider = memory({ owner: OWNER, world, runtime: { onEvent } });
    assert.equal((await provider.spawn({ ...SPEC, key: "heard" })).key, "heard");
    assert.equal(runtimeDefaults().log, silentLog);
  },
  "RUNTIME-02": async () => {
    const clock = simulatedClock();
    const { signal } = deadline(clock, 3_600_000);
    await clock.sleep(3_600_000);
    assert.equal((signal.reason as Error).name, "TimeoutError");
  },
};
