import { describe, expect, test } from "vitest";
import { PROJECT, runtimeOf, TOKEN } from "./gcp-harness.ts";
import { failure, gcpWorld } from "./world.ts";

const GIB = 1024 ** 3;
const inserts = ({ sent }: ReturnType<typeof gcpWorld>) =>
  sent.filter(({ method, path }) => method === "POST" && path.endsWith("/instances"));

describe("a volume", () => {
  test("is a disk that says whose it is, and no boot disk is one", async () => {
    const { provider, sent } = gcpWorld();
    await provider.spawn({ key: "job" });
    const volume = await provider.createVolume({ key: "data", sizeBytes: 12 * GIB, region: "europe-west1" });
    expect(volume).toMatchObject({ status: "available", sizeBytes: 12 * GIB, region: "europe-west1", key: "data" });
    const made = sent.find(({ method, path }) => method === "POST" && path.endsWith("/disks"));
    expect(made?.body).toMatchObject({
      sizeGb: "12",
      description: "data",
      labels: { "slipway-owner": "tests", "slipway-role": "volume" },
    });
    expect((await provider.listVolumes()).map(({ id }) => id)).toEqual([volume.id]);
  });

  test("takes the spawn to its zone, stays when the instance ends, and is mounted before the script", async () => {
    const world = gcpWorld();
    const { provider } = world;
    const volume = await provider.createVolume({ key: "data", sizeBytes: 10 * GIB, region: "europe-west1" });
    const volumes = [{ id: volume.id, mountPath: "/srv/it's" }];
    expect(await failure(provider.spawn({ volumes, region: "us-central1" }))).toMatchObject({ code: "INVALID_SPEC" });
    const made = await provider.spawn({ key: "job", volumes, bootstrap: { script: "exit 0" } });
    expect(made.zone).toBe(volume.zone);
    const [insert] = inserts(world);
    const [, attached] = (insert?.body["disks"] ?? []) as readonly Record<string, unknown>[];
    expect(attached).toMatchObject({
      autoDelete: false,
      source: expect.stringContaining(`/${volume.zone}/disks/slip-`),
    });
    const { items } = (insert?.body["metadata"] ?? { items: [] }) as {
      items: readonly { key: string; value: string }[];
    };
    const parts = (items.find(({ key }) => key === "user-data")?.value ?? "").split(/^--slipway.*$/m);
    const texts = parts.slice(1, 3).map((part) => Buffer.from(part.split("\n\n")[1] ?? "", "base64").toString());
    expect(texts[0]).toContain("'/srv/it'\\''s'");
    expect(texts[1]).toContain("#cloud-config");
    await provider.terminate(made.id);
    await world.emulator.clock.sleep(60_000);
    expect(await provider.listVolumes()).toMatchObject([{ id: volume.id, status: "available", attachedTo: null }]);
  });

  test("that went away is not taken for a younger one of its name", async () => {
    const { provider, emulator } = gcpWorld();
    const first = await provider.createVolume({ key: "data", sizeBytes: 10 * GIB });
    await provider.deleteVolume(first.id);
    await emulator.clock.sleep(60_000);
    const second = await provider.createVolume({ key: "data", sizeBytes: 10 * GIB });
    expect(second.id).not.toBe(first.id);
    const volumes = [{ id: first.id, mountPath: "/data" }];
    expect(await failure(provider.spawn({ volumes }))).toMatchObject({ code: "NOT_FOUND", effect: "none" });
    await provider.deleteVolume(first.id);
    expect(await provider.listVolumes()).toHaveLength(1);
  });

  test("is never deleted where Slipway has not made it, attached or not", async () => {
    const { provider, emulator } = gcpWorld();
    const disks = `https://compute.example/compute/v1/projects/${PROJECT}/zones/us-central1-a/disks`;
    const headers = { authorization: `Bearer ${TOKEN}`, "x-goog-api-version": "2026-11-01" };
    const body = JSON.stringify({ name: "prod-data", sizeGb: "10" });
    expect((await emulator.fetch(disks, { method: "POST", headers, body })).status).toBe(200);
    await emulator.clock.sleep(60_000);
    const { id } = (await (await emulator.fetch(`${disks}/prod-data`, { headers })).json()) as { readonly id: string };
    const refused = await failure(provider.deleteVolume(`${PROJECT}/us-central1-a/prod-data/${id}`));
    expect(refused).toMatchObject({ code: "CONFLICT", effect: "none" });
    await emulator.clock.sleep(60_000);
    expect((await emulator.fetch(`${disks}/prod-data`, { headers })).status).toBe(200);
  });

  test("that Google shows is not gone since one answer to its deletion says so", async () => {
    const { provider, emulator, another } = gcpWorld();
    const { id } = await provider.createVolume({ key: "data", sizeBytes: 10 * GIB });
    const fetch: typeof globalThis.fetch = (input, init) =>
      init?.method === "DELETE"
        ? emulator.fetch(String(input).replace(/disks\/[^/?]+/, "disks/9"), init)
        : emulator.fetch(input, init);
    const other = another({ runtime: { ...runtimeOf(emulator), fetch } });
    expect(await failure(other.deleteVolume(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
    expect((await provider.listVolumes()).map((volume) => volume.id)).toEqual([id]);
    await provider.deleteVolume(id);
    await emulator.clock.sleep(60_000);
    expect(await provider.listVolumes()).toEqual([]);
  });

  test("in use by another instance is INVALID_STATE at the next spawn, with nothing done", async () => {
    const { provider } = gcpWorld();
    const volume = await provider.createVolume({ key: "data", sizeBytes: 10 * GIB });
    const volumes = [{ id: volume.id, mountPath: "/data" }];
    await provider.spawn({ volumes });
    expect(await failure(provider.spawn({ volumes }))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
    expect(await failure(provider.deleteVolume(volume.id))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  });
});
