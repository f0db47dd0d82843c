import { expect, test } from "vitest";
import type { GcpEmulator } from "../emulator/index.ts";
import { PROJECT, TOKEN } from "./gcp-harness.ts";
import { failure, gcpWorld } from "./world.ts";

const ZONE = "us-central1-a";
const DAY_MS = 86_400_000;

const inMs = ({ clock }: GcpEmulator, ms: number): string => new Date(clock.now() + ms).toISOString();

test("the time goes to Google as it is, with a deletion at its end; expiresAt alone sends nothing", async () => {
  const { provider, emulator, sent } = gcpWorld({}, { spotTermination: "STOP" });
  const terminateBy = inMs(emulator, 600_000);
  const both = await provider.spawn({ key: "both", spot: {}, terminateBy, expiresAt: inMs(emulator, 60_000) });
  await provider.spawn({ key: "advice", expiresAt: terminateBy });
  const inserts = sent.filter(({ method, path }) => method === "POST" && path.endsWith("/instances"));
  expect(inserts.map(({ body }) => body["scheduling"])).toEqual([
    expect.objectContaining({ terminationTime: terminateBy, instanceTerminationAction: "DELETE" }),
    { automaticRestart: true },
  ]);
  expect(both.terminateBy).toEqual({ at: terminateBy, by: "remote" });
  await emulator.clock.sleep(800_000);
  expect((await provider.list()).map(({ key }) => key)).toEqual(["advice"]);
});

test("an instance that stops has no time any more, and says so", async () => {
  const { provider, emulator } = gcpWorld();
  const { id, nativeId } = await provider.spawn({ key: "job", terminateBy: inMs(emulator, 600_000) });
  // As its own guest can, by a shutdown.
  emulator.control.setStatus(nativeId, "TERMINATED");
  await emulator.clock.sleep(800_000);
  const stopped = await provider.get(id);
  expect(stopped?.status).toBe("stopped");
  expect(stopped).not.toHaveProperty("terminateBy");
});

test("what Google cannot keep is refused", async () => {
  const { provider, emulator, sent } = gcpWorld();
  const refused = async (options: Parameters<typeof provider.spawn>[0]) => {
    const { code, effect, message } = await failure(provider.spawn(options));
    expect({ code, effect }).toEqual({ code: "INVALID_SPEC", effect: "none" });
    return message;
  };
  expect(await refused({ key: "far", terminateBy: inMs(emulator, 121 * DAY_MS) })).toContain("120 days");
  expect(await refused({ key: "both", hibernation: true, terminateBy: inMs(emulator, DAY_MS) })).toContain("suspended");
  expect(sent).toEqual([]);
  expect(await refused({ key: "near", terminateBy: inMs(emulator, 20_000) })).toContain("terminationTime");
});

test("the emulator takes one kind of limit, with an action, from 30 seconds to 120 days, and keeps it", async () => {
  const { emulator, provider } = gcpWorld();
  const { clock, control } = emulator;
  const root = `https://compute.example/compute/v1/projects/${PROJECT}/zones/${ZONE}/instances`;
  const headers = { authorization: `Bearer ${TOKEN}`, "x-goog-api-version": "2026-11-01" };
  const insert = async (name: string, scheduling: object): Promise<number> => {
    const body = {
      name,
      machineType: `zones/${ZONE}/machineTypes/e2-medium`,
      disks: [
        { boot: true, initializeParams: { sourceImage: "projects/debian-cloud/global/images/family/debian-12" } },
      ],
      networkInterfaces: [{ network: "global/networks/default" }],
      scheduling,
    };
    return (await emulator.fetch(root, { method: "POST", headers, body: JSON.stringify(body) })).status;
  };
  const read = async (name: string) => {
    const answer = await emulator.fetch(`${root}/${name}`, { headers });
    return answer.status === 200 ? ((await answer.json()) as { status: string; resourceStatus?: object }) : null;
  };
  const action = { instanceTerminationAction: "DELETE" };
  const hour = { maxRunDuration: { seconds: "3600" } };
  for (const wrong of [
    { ...action, terminationTime: inMs(emulator, 29_000) },
    { ...action, terminationTime: inMs(emulator, 121 * DAY_MS) },
    { ...action, terminationTime: "soon" },
    { ...action, maxRunDuration: { seconds: "29" } },
    { ...action, ...hour, terminationTime: inMs(emulator, DAY_MS) },
    { ...action, ...hour, preemptible: true, automaticRestart: false },
    { terminationTime: inMs(emulator, DAY_MS) },
  ]) {
    expect({ wrong, status: await insert("wrong", wrong) }).toEqual({ wrong, status: 400 });
  }
  expect(await insert("deletes", { ...hour, ...action })).toBe(200);
  expect(await insert("stops", { ...hour, instanceTerminationAction: "STOP" })).toBe(200);
  await clock.sleep(1_800_000);
  expect((await read("deletes"))?.resourceStatus).toHaveProperty("scheduling.terminationTimestamp");
  expect(control.instances().map(({ status }) => status)).toEqual(["RUNNING", "RUNNING"]);
  await clock.sleep(1_900_000);
  expect(await read("deletes")).toBeNull();
  expect(await read("stops")).toMatchObject({ status: "TERMINATED" });
  expect((await read("stops"))?.resourceStatus).toBeUndefined();
  expect(await provider.list()).toEqual([]);
});

test("the machine behind an instance ends with its time, once, and only its own", async () => {
  const done: string[] = [];
  const note = (what: string) => async (id: string) => {
    done.push(`${what} ${id}`);
  };
  const { emulator, provider } = gcpWorld({
    machines: {
      newAddress: () => "127.0.0.2",
      create: async () => undefined,
      end: note("end"),
      stop: note("stop"),
      start: note("start"),
      reboot: note("reboot"),
      console: () => "",
      closed: new AbortController().signal,
      endpoint: () => undefined,
    },
  });
  await provider.spawn({ key: "stays" });
  const { nativeId } = await provider.spawn({ key: "ends", terminateBy: inMs(emulator, 600_000) });
  await provider.list();
  expect(done).toEqual([]);
  await emulator.clock.sleep(800_000);
  await provider.list();
  await provider.list();
  expect(done).toEqual([`end ${nativeId}`]);
});
