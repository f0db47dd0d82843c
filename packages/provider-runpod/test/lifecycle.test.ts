import { createServer } from "node:net";
import { expect, test } from "vitest";
import { type Probe, tcpProbe } from "../src/index.ts";
import { GPU } from "./runpod-harness.ts";
import { rejection, testWorld } from "./world.ts";

test("RUNNING is pending until ssh.direct is told, and until something answers there", async () => {
  let answers = false;
  const asked: string[] = [];
  const probe: Probe = async ({ host, port }, { timeoutMs }) => {
    asked.push(`${host}:${port} within ${timeoutMs}`);
    return answers;
  };
  const { provider, clock } = testWorld({}, { probe, probeTimeoutMs: 700 });
  const { id, status } = await provider.spawn({ key: "a", spec: GPU });
  expect(status).toBe("pending");
  await clock.sleep(22_500);
  expect(await provider.get(id)).toMatchObject({ state: "RUNNING", status: "pending" });
  expect(asked).toEqual([]);
  await clock.sleep(3_000);
  const told = await provider.get(id);
  expect(told).toMatchObject({ status: "pending", statusReason: { code: "NO_SSHD" }, ssh: { user: "root" } });
  expect(asked).toEqual([`${told?.ssh?.host}:${told?.ssh?.port} within 700`]);

  // A listing asks the same question.
  expect((await provider.list()).map((each) => each.status)).toEqual(["pending"]);
  expect(asked).toHaveLength(2);

  answers = true;
  expect(await provider.get(id)).toMatchObject({ status: "running" });
  await provider.get(id);
  expect((await provider.list()).map((each) => each.status)).toEqual(["running"]);
  expect(asked).toHaveLength(3);
});

test("another address after a start is probed anew", async () => {
  let probes = 0;
  const probe: Probe = async () => (probes += 1) > 0;
  const { provider, clock } = testWorld({}, { probe });
  const { id } = await provider.spawn({ key: "a", spec: GPU });
  await clock.sleep(30_000);
  const before = await provider.get(id);
  expect((await provider.stop(id)).status).toBe("stopped");
  const stopped = await provider.get(id);
  // RunPod goes on telling the price of what is stopped: it is no cost.
  expect(stopped).toMatchObject({ status: "stopped", addresses: {} });
  expect(stopped?.price).toBeUndefined();
  expect((await provider.start(id)).status).toBe("pending");
  await clock.sleep(30_000);
  const after = await provider.get(id);
  expect(after?.status).toBe("running");
  expect(after?.ssh?.port).not.toBe(before?.ssh?.port);
  expect(probes).toBe(2);
});

test("a probe that the caller gives up ends the get", async () => {
  const controller = new AbortController();
  const probe: Probe = async () => {
    controller.abort();
    return false;
  };
  const { provider, clock } = testWorld({}, { probe });
  const { id } = await provider.spawn({ key: "a", spec: GPU });
  await clock.sleep(30_000);
  expect(await rejection(provider.get(id, { signal: controller.signal }))).toMatchObject({ code: "CANCELLED" });
});

test("the TCP probe finds what listens, and nothing where nothing does", async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const target = { host: "127.0.0.1", port: address.port };
  expect(await tcpProbe(target, { timeoutMs: 5_000 })).toBe(true);
  expect(await tcpProbe(target, { timeoutMs: 5_000, signal: AbortSignal.abort() })).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await tcpProbe(target, { timeoutMs: 5_000 })).toBe(false);
  // Not a name that any resolver has.
  expect(await tcpProbe({ host: "pod.invalid", port: 22 }, { timeoutMs: 50 })).toBe(false);
});

test("a start fails where the host has given its GPU away", async () => {
  const { provider, emulator } = testWorld();
  const { id } = await provider.spawn({ key: "a", spec: GPU, region: "EU-RO-1" });
  await provider.stop(id);
  emulator.setStock({ spec: GPU, units: 0 });
  expect(await rejection(provider.start(id))).toMatchObject({
    code: "CAPACITY_ERROR",
    scope: "placement",
    effect: "none",
    operation: "start",
  });
  expect(await provider.get(id)).toMatchObject({ status: "stopped" });
});

test("stop and start answer what is so already, and refuse what is not there", async () => {
  const { provider, emulator, clock } = testWorld();
  const { id } = await provider.spawn({ key: "a", spec: GPU });
  expect(await rejection(provider.start(id))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  await clock.sleep(30_000);
  expect((await provider.start(id)).status).toBe("running");
  await provider.stop(id);
  const changes = emulator.changes;
  expect((await provider.stop(id)).status).toBe("stopped");
  expect(emulator.changes).toBe(changes);
  for (const gone of ["00000000000000", "../etc", ""]) {
    expect(await rejection(provider.stop(gone))).toMatchObject({ code: "NOT_FOUND", effect: "none" });
  }
});

test("what RunPod ends in between is stopped, in error, terminated or unknown", async () => {
  const { provider, emulator } = testWorld();
  const { id } = await provider.spawn({ key: "a", spec: GPU });
  const statuses: (string | undefined)[] = [];
  for (const word of ["EXITED", "ERROR", "TERMINATED", "LEVITATING"]) {
    emulator.setStatus(id, word);
    statuses.push((await provider.get(id))?.status);
  }
  expect(statuses).toEqual(["stopped", "error", "terminated", "unknown"]);
});

test("a pod that RunPod does not know yet is ended all the same", async () => {
  const { provider, emulator } = testWorld({ freshNotFoundMs: 4_000 }, { readAfterWriteMs: 10_000 });
  const { id } = await provider.spawn({ key: "a", spec: GPU });
  // Also `get` bridges that time.
  expect(await provider.get(id)).toMatchObject({ status: "pending", key: "a" });
  await provider.terminate(id);
  expect(emulator.pods().filter(({ deletedAt }) => deletedAt === null)).toEqual([]);
  expect(await provider.get(id)).toBeNull();
});

test("a listing is read to its end, and each pod is shown once", async () => {
  const { provider, emulator } = testWorld({ pageSize: 3 });
  for (let at = 0; at < 8; at += 1) await provider.spawn({ key: `pod-${at}`, spec: GPU });
  const before = emulator.requests.length;
  expect(await provider.list()).toHaveLength(8);
  // Twice the same, so that no page moved meanwhile.
  expect(emulator.requests.length - before).toBe(6);
  emulator.faults.add({ operation: "list", when: "before", row: "server-error", times: 9 });
  expect(await rejection(provider.list())).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
});
