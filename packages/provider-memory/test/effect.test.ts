import { memory, memoryErrorTable, memoryWorld } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import { thrown } from "./thrown.ts";

const OUTWARD = 10;

function slow() {
  const world = memoryWorld({ latencyMs: OUTWARD });
  return { world, provider: memory({ owner: "ci", world }) };
}

describe("a call that its caller ends", () => {
  test.each([
    ["before it is sent", OUTWARD - 1, "none", 0],
    ["after it is sent", OUTWARD + 1, "unknown", 1],
  ])("%s", async (_, after, effect, made) => {
    for (const end of ["abort", "timeout"] as const) {
      const { world, provider } = slow();
      const controller = new AbortController();
      const limits = end === "timeout" ? { timeoutMs: after } : { signal: controller.signal };
      const error = thrown(provider.spawn({ key: "k", ...limits }));
      await world.clock.sleep(after);
      controller.abort(new Error("enough"));
      expect(await error).toMatchObject({ code: end === "timeout" ? "TIMEOUT" : "CANCELLED", effect });
      expect(world.instances()).toHaveLength(made);
      expect(world.clock.sleepers).toBe(0);
    }
  });

  test("a read never has an effect", async () => {
    const { provider } = slow();
    expect(await thrown(provider.list({}, { timeoutMs: OUTWARD + 1 }))).toMatchObject({
      code: "TIMEOUT",
      effect: "none",
    });
  });

  test("before it begins, no request leaves", async () => {
    const { world, provider } = slow();
    const begun = world.clock.now();
    expect(await thrown(provider.terminate("x", { signal: AbortSignal.abort() }))).toMatchObject({ effect: "none" });
    expect(world.clock.now()).toBe(begun);
  });
});

describe("faults at the remote", () => {
  const all = (operation: string, call: (p: ReturnType<typeof memory>) => Promise<unknown>) => ({ operation, call });
  const writes = [
    all("spawn", (p) => p.spawn({ key: "k" })),
    all("createVolume", (p) => p.createVolume({ key: "v", sizeBytes: 1 })),
    all("warmVolume", (p) => p.warmVolume({ key: "w", pool: "p", sizeBytes: 1, zone: "mem-east-1a" })),
    all("requestSpotInstance", (p) => p.requestSpotInstance({ key: "s" })),
  ];

  test.each(writes)(
    "$operation: before, after, lost and late, and the inspector agrees",
    async ({ operation, call }) => {
      const timings = [
        { when: "before", code: "UNAVAILABLE", effect: "none", changes: 0 },
        { when: "after", code: "UNAVAILABLE", effect: "unknown", changes: 1 },
        { when: "after", code: "QUOTA_EXCEEDED", effect: "unknown", changes: 1 },
        { when: "reply-lost", code: "NETWORK", effect: "unknown", changes: 1 },
      ] as const;
      for (const { when, code, effect, changes } of timings) {
        const world = memoryWorld();
        world.faults.add({ operation, when, code });
        expect(await thrown(call(memory({ owner: "ci", world })))).toMatchObject({ code, effect, operation });
        expect(world.changes).toBe(changes);
      }
      const world = memoryWorld();
      world.faults.add({ operation, when: "delayed", delayMs: 9_000 });
      const begun = world.clock.now();
      await call(memory({ owner: "ci", world }));
      expect(world.clock.now() - begun).toBeGreaterThanOrEqual(9_000);
    },
  );

  test("what the remote refuses by itself was not done, whatever fault stands behind it", async () => {
    const world = memoryWorld({ quotas: { machines: 0 } });
    world.faults.add({ operation: "spawn", when: "reply-lost" });
    expect(await thrown(memory({ owner: "ci", world }).spawn({}))).toMatchObject({
      code: "QUOTA_EXCEEDED",
      effect: "none",
    });
  });

  test.each(memoryErrorTable)("row $id is $code with effect $effect", async ({ id, code, scope, effect }) => {
    for (const when of ["before", "after"] as const) {
      const world = memoryWorld();
      world.faults.add({ operation: "spawn", when: effect === "none" ? "before" : when, row: id });
      const error = await thrown(memory({ owner: "ci", world }).spawn({}));
      const told = effect === "unknown" && when === "after" ? "unknown" : effect;
      expect(error).toMatchObject({ code, effect: told, ...(scope === undefined ? {} : { scope }) });
      if (error.effect === "none") expect(world.changes).toBe(0);
      if (error.effect === "applied") expect(world.changes).toBe(1);
    }
  });

  test("an answer that no table knows is INTERNAL and unclear", async () => {
    const world = memoryWorld();
    const teapot = {
      ...world,
      transport: async () => ({ status: 418, body: null, error: { id: "teapot", text: "short and stout" } }),
    };
    const provider = memory({ owner: "ci", world: teapot });
    expect(await thrown(provider.spawn({}))).toMatchObject({ code: "INTERNAL", effect: "unknown" });
    expect(await thrown(provider.get("mem-000000000000"))).toMatchObject({ code: "INTERNAL", effect: "none" });
  });
});

test("no secret reaches an error, an event or the console", async () => {
  const secrets = ["api-5ecret", "tskey-5ecret", "token-5ecret", "env-5ecret"];
  const world = memoryWorld({ apiKeys: ["api-5ecret"] });
  const told: unknown[] = [];
  const runtime = { onEvent: (event: object) => void told.push(event) };
  const provider = memory({ owner: "ci", world, apiKey: "api-5ecret", runtime });
  const wrong = memory({ owner: "ci", world, apiKey: "wrong-5ecret", runtime });
  const options = {
    key: "k",
    tailscale: { authKey: "tskey-5ecret" },
    bootstrap: { script: "true", registrationToken: "token-5ecret", environment: { A: "env-5ecret" } },
  };
  told.push((await thrown(wrong.spawn(options))).toJSON());
  const made = await provider.spawn(options);
  told.push(made, (await thrown(provider.spawn({ ...options, spec: "m1.large" }))).toJSON());
  told.push(
    (
      await thrown(provider.spawn({ ...options, key: "x", tailscale: { authKey: "tskey-5ecret", extra: 1 } as never }))
    ).toJSON(),
  );
  const huge = { ...options, key: "y", bootstrap: { script: "x".repeat(20_000), registrationToken: "token-5ecret" } };
  told.push((await thrown(provider.spawn(huge))).toJSON());
  await world.clock.sleep(60_000);
  for await (const line of provider.logs(made.id)) told.push(line);
  told.push(await provider.list(), world.instances());
  const text = JSON.stringify(told);
  for (const secret of [...secrets, "wrong-5ecret"]) expect(text).not.toContain(secret);
  expect(text).toContain("AUTH_ERROR");
});
