import { expect, test } from "vitest";
import { failure, lambdaWorld } from "./world.ts";

const A10 = { spec: "gpu_1x_a10", region: "us-west-1" } as const;
const TERMINATE = "/instance-operations/terminate";

test("an instance that is ending already is not ended twice", async () => {
  const { provider, another, sent } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  await provider.terminate(id);
  await provider.terminate(id);
  await another().terminate(id);
  expect(sent(TERMINATE)).toEqual([{ instance_ids: [id] }]);
});

test("global/unknown because another process has just begun the end is done, once reads tell it", async () => {
  const { provider, another, emulator, sent } = lambdaWorld({ readLagMs: 1_000 });
  const { id } = await provider.spawn(A10);
  await emulator.clock.sleep(10_000);
  await provider.terminate(id);
  // The other one still reads `booting`, asks for the end, is told global/unknown, and looks again.
  await another().terminate(id);
  expect(sent(TERMINATE)).toHaveLength(2);
  expect(emulator.control.instances()[0]?.status).toMatch(/^terminat/);
});

test("waiting for such a read ends with the signal, and says that the outcome is unknown", async () => {
  const { provider, emulator } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  emulator.control.faults.add({ operation: "terminate", when: "before", row: "unknown" });
  const error = await failure(provider.terminate(id, { timeoutMs: 1_000 }));
  expect(error).toMatchObject({ code: "TIMEOUT", effect: "unknown" });
});

test("global/unknown at an instance that runs is unclear", async () => {
  const { provider, emulator } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  emulator.control.faults.add({ operation: "terminate", when: "before", row: "unknown" });
  expect(await failure(provider.terminate(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  await provider.terminate(id);
});

test("an unclear answer stays unclear where the look afterwards fails too", async () => {
  const { provider, emulator } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  emulator.control.faults.add(
    { operation: "terminate", when: "after", row: "unknown" },
    { operation: "get", when: "before", row: "bad-gateway", times: 50 },
  );
  expect(await failure(provider.terminate(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
});

test("two processes that end one instance at the same moment both resolve", async () => {
  const { another, emulator } = lambdaWorld();
  const [one, two] = [another(), another()];
  const { id } = await one.spawn(A10);
  await Promise.all([one.terminate(id), two.terminate(id), one.terminate(id)]);
  expect(emulator.control.instances()[0]?.status).toMatch(/^terminat/);
});

test("a machine that Slipway has not made is left alone", async () => {
  const { provider, emulator } = lambdaWorld();
  const unmanaged = emulator.control.addUnmanaged();
  expect(await failure(provider.terminate(unmanaged))).toMatchObject({
    code: "CONFLICT",
    effect: "none",
    native: { id: unmanaged },
  });
  expect(emulator.control.hasUnmanaged(unmanaged)).toBe(true);
});

test("an instance that was launched just now is not taken for gone", async () => {
  const { provider, emulator, sent } = lambdaWorld({ readLagMs: 3_000 });
  const { id } = await provider.spawn(A10);
  await provider.terminate(id);
  expect(sent(TERMINATE)).toHaveLength(1);
  expect(emulator.control.instances()[0]?.status).toMatch(/^terminat/);
});

test("not-found within the lag after the launch is BUSY, and of an instance that is still shown never done", async () => {
  const { provider, emulator } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  const missing = { operation: "terminate", when: "before", row: "object-does-not-exist" } as const;
  emulator.control.faults.add({ ...missing, times: 10 });
  expect(await failure(provider.terminate(id))).toMatchObject({ code: "BUSY", effect: "none" });
  await emulator.clock.sleep(6_000);
  expect(await failure(provider.terminate(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  emulator.control.faults.clear();
  await provider.terminate(id);
  expect(emulator.control.instances()[0]?.status).toBe("terminating");
});

test("statuses: unhealthy may come back, preempted is an error, a new word is unknown", async () => {
  const { provider, emulator } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  const seen = [];
  for (const status of ["active", "unhealthy", "preempted", "hibernating", "terminating"]) {
    emulator.control.setStatus(id, status);
    const instance = await provider.get(id);
    seen.push([instance?.state, instance?.status, instance?.statusReason?.code]);
  }
  expect(seen).toEqual([
    ["active", "running", undefined],
    ["unhealthy", "unknown", "unhealthy"],
    ["preempted", "error", "preempted"],
    ["hibernating", "unknown", undefined],
    ["terminating", "terminating", undefined],
  ]);
});

test("the address is absent until Lambda tells it, and the Jupyter token never shows", async () => {
  const { provider, emulator } = lambdaWorld({ bootMs: 60_000, addressMs: 50_000 });
  const { id } = await provider.spawn(A10);
  expect(await provider.get(id)).toMatchObject({ status: "pending", addresses: { privateIpv4: expect.any(String) } });
  expect((await provider.get(id))?.ssh).toBeUndefined();
  await emulator.clock.sleep(70_000);
  const instance = await provider.get(id);
  expect(instance).toMatchObject({ status: "running", ssh: { port: 22, user: "ubuntu" } });
  expect(instance?.ssh?.host).toBe(instance?.addresses.publicIpv4);
  expect(JSON.stringify(instance)).not.toContain("jupyter");
});

test.each([
  ["a proxy's 404 with JSON", () => Response.json({ message: "no such route" }, { status: 404 })],
  ["a 404 of another code", () => Response.json({ error: { code: "edge/no-route", message: "?" } }, { status: 404 })],
  ["a page of 404", () => new Response("<html>not here</html>", { status: 404 })],
])("%s is not Lambda's word that an instance is gone", async (_, answer) => {
  const { another, emulator, provider } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  const fetch: typeof globalThis.fetch = async (input, init) =>
    String(input).endsWith("/instances") ? await emulator.fetch(input, init) : answer();
  const astray = another({ runtime: { clock: emulator.clock, fetch } });
  await expect(astray.get(id)).rejects.toMatchObject({ operation: "get" });
  await expect(astray.terminate(id)).rejects.toMatchObject({ operation: "terminate" });
});

test("an answer that ends something else is unclear", async () => {
  const { another, emulator, provider } = lambdaWorld();
  const { id } = await provider.spawn(A10);
  const fetch: typeof globalThis.fetch = async (input, init) =>
    String(input).endsWith("/terminate")
      ? Response.json({ data: { terminated_instances: [] } })
      : await emulator.fetch(input, init);
  const error = await failure(another({ runtime: { clock: emulator.clock, fetch } }).terminate(id));
  expect(error).toMatchObject({ code: "INTERNAL", effect: "unknown" });
});
