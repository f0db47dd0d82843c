import { expect, test } from "vitest";
import type { RunpodEmulator } from "../emulator/index.ts";
import { type Probe, type RunpodOptions, register } from "../src/index.ts";
import { API_KEY, GPU } from "./runpod-harness.ts";
import { createsOf, rejection, type TestWorld, testWorld } from "./world.ts";

const KEY_LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4 me@laptop";
const KEYS_PATH = "/v2/account/ssh-keys";

/** As on RunPod: sshd runs in a pod that has a key, and nowhere else. */
function sshdOf(emulator: () => RunpodEmulator): Probe {
  return async ({ port }) =>
    emulator()
      .pods()
      .some((pod) => pod.publicPort === port && pod.hasSshd);
}

function probing(sshKeys: readonly string[], options: Partial<RunpodOptions> = {}): TestWorld {
  const world: TestWorld = testWorld({ sshKeys }, { probe: sshdOf(() => world.emulator), ...options });
  return world;
}

const readsOfKeys = ({ requests }: RunpodEmulator): number => requests.filter(({ path }) => path === KEYS_PATH).length;

test("a spawn without keys is refused where the account has none, before anything is billed", async () => {
  const { provider, emulator } = probing([]);
  const refused = await rejection(provider.spawn({ key: "a", spec: GPU }));
  expect(refused).toMatchObject({ code: "INVALID_SPEC", scope: "request", effect: "none", operation: "spawn" });
  expect(refused.message).toMatch(/no SSH key/);
  expect(refused.hint).toMatch(/sshKeys.*probe: false/s);
  expect(createsOf(emulator)).toEqual([]);
});

test("with keys of the spawn, or of the account, the pod comes up", async () => {
  const without = probing([]);
  const given = await without.provider.spawn({ key: "a", spec: GPU, sshKeys: [KEY_LINE] });
  await without.clock.sleep(30_000);
  expect(await without.provider.get(given.id)).toMatchObject({ status: "running" });
  expect(readsOfKeys(without.emulator)).toBe(0);

  const registered = probing([KEY_LINE]);
  const { id } = await registered.provider.spawn({ key: "a", spec: GPU });
  await registered.clock.sleep(30_000);
  expect(await registered.provider.get(id)).toMatchObject({ status: "running" });
});

test("keys that were seen are not asked for at each spawn, and not believed for ever", async () => {
  const { provider, emulator, clock } = probing([KEY_LINE]);
  for (const key of ["a", "b", "c"]) await provider.spawn({ key, spec: GPU });
  expect(readsOfKeys(emulator)).toBe(1);
  emulator.setSshKeys([]);
  await clock.sleep(10 * 60_000);
  expect(await rejection(provider.spawn({ key: "d", spec: GPU }))).toMatchObject({ code: "INVALID_SPEC" });
});

test("who does not wait for sshd needs no keys", async () => {
  const { provider, emulator } = probing([], { probe: false });
  await provider.spawn({ key: "a", spec: GPU });
  expect(createsOf(emulator)).toHaveLength(1);
  expect(readsOfKeys(emulator)).toBe(0);
});

test("a key of the API that may not read them says which right is missing, and no other place is tried", async () => {
  const { provider, emulator } = probing([KEY_LINE]);
  emulator.faults.add({ operation: "account.sshKeys", when: "before", row: "access-denied" });
  const refused = await rejection(provider.spawn({ key: "a", spec: GPU }));
  expect(refused).toMatchObject({ code: "AUTH_ERROR", scope: "account", effect: "none" });
  expect(refused.hint).toMatch(/account:read.*sshKeys/s);
  expect(createsOf(emulator)).toEqual([]);
});

test("start-up warns, and the health check counts them", async () => {
  const { clock, emulator } = testWorld({ sshKeys: [] });
  const said: string[] = [];
  const silent = () => undefined;
  const log = { debug: silent, info: silent, error: silent, warn: (message: string) => void said.push(message) };
  const runtime = { clock, fetch: emulator.fetch, log };
  const { hooks } = await register({}, { owner: "o", variables: { RUNPOD_API_KEY: API_KEY }, runtime });
  await hooks.onStartup();
  expect(said).toEqual([expect.stringMatching(/no SSH key/)]);
  const deadline = new Date(clock.now() + 3_600_000).toISOString();
  const health = async () => (await hooks.onHeartbeat({ tasks: ["health_check"], deadline })).receipts[0];
  expect(await health()).toMatchObject({
    ok: true,
    details: { pods: 0, sshKeys: 0, warning: expect.stringMatching(/no SSH key/) },
  });
  emulator.setSshKeys([KEY_LINE]);
  expect(await health()).toMatchObject({ ok: true, details: { pods: 0, error: 0, sshKeys: 1 } });
  // A restricted key may be enough for all that the caller does.
  emulator.faults.add({ operation: "account.sshKeys", when: "before", row: "access-denied", times: 2 });
  await hooks.onStartup();
  expect(await health()).toMatchObject({ ok: true, details: { pods: 0 } });
});

test("get, list and a repeated spawn say the same of a pod whose sshd is silent, and terminate does not wait for it", async () => {
  const asked: number[] = [];
  const probe: Probe = async ({ port }) => asked.push(port) < 0;
  const { provider, another, clock, emulator } = testWorld({}, { probe });
  const { id } = await provider.spawn({ key: "a", spec: GPU });
  await clock.sleep(30_000);
  const silent = { status: "pending", statusReason: { code: "NO_SSHD" } };
  expect(await provider.get(id)).toMatchObject(silent);
  expect(await provider.list()).toMatchObject([silent]);
  expect(await provider.list({ status: ["running"] })).toEqual([]);
  expect(await provider.list({ status: ["pending"] })).toMatchObject([silent]);
  expect(await provider.spawn({ key: "a", spec: GPU })).toMatchObject(silent);
  // Another owner's pods are looked at by nobody.
  const before = asked.length;
  expect(await another({ owner: "other" }).list()).toEqual([]);
  await provider.terminate(id);
  expect(asked).toHaveLength(before);
  expect(emulator.pods()[0]?.deletedAt).not.toBeNull();
});

test("a listing probes many pods at once, and each that answered only once", async () => {
  let [open, most, probes] = [0, 0, 0];
  const probe: Probe = async () => {
    probes += 1;
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    return true;
  };
  const { provider, clock } = testWorld({}, { probe });
  for (let at = 0; at < 40; at += 1) await provider.spawn({ key: `k${at}`, spec: GPU });
  await clock.sleep(30_000);
  expect(new Set((await provider.list()).map(({ status }) => status))).toEqual(new Set(["running"]));
  expect([probes, most]).toEqual([40, 32]);
  await provider.list();
  expect(probes).toBe(40);
});
