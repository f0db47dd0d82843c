import { describe, expect, test } from "vitest";
import { failure, gcpWorld } from "./world.ts";

describe("hibernation", () => {
  test("suspends by the number, waits for the end, and wakes the same instance", async () => {
    const { provider, sent } = gcpWorld();
    const { id, nativeId, zone } = await provider.spawn({ key: "job", hibernation: true });
    expect((await provider.hibernate(id)).status).toBe("hibernated");
    expect((await provider.resume(id)).status).toBe("running");
    const actions = sent.filter(({ path }) => /\/(suspend|resume)$/.test(path)).map(({ path }) => path);
    expect(actions).toEqual(["suspend", "resume"].map((action) => `zones/${zone}/instances/${nativeId}/${action}`));
  });

  test("is BUSY while it is on its way, INVALID_STATE where it was stopped, and refused with accelerators", async () => {
    const { provider, emulator } = gcpWorld();
    const { id, nativeId } = await provider.spawn({ key: "job", hibernation: true });
    emulator.control.setStatus(nativeId, "SUSPENDING");
    expect(await failure(provider.resume(id))).toMatchObject({ code: "BUSY", effect: "none" });
    emulator.control.setStatus(nativeId, "TERMINATED");
    expect(await failure(provider.hibernate(id))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
    const gpu = { type: "l4", count: 1 };
    expect(await failure(provider.spawn({ gpu, hibernation: true }))).toMatchObject({ code: "INVALID_SPEC" });
  });

  test("one that hibernates can be terminated", async () => {
    const { provider, emulator } = gcpWorld();
    const { id } = await provider.spawn({ key: "job", hibernation: true });
    await provider.hibernate(id);
    await provider.terminate(id);
    await emulator.clock.sleep(60_000);
    expect(await provider.get(id)).toBeNull();
  });
});

describe("network", () => {
  test("goes into the insert, with tags for the firewall's rules; an isolated one has no external address", async () => {
    const { provider, sent } = gcpWorld();
    const made = await provider.spawn({
      key: "job",
      network: { id: "default", subnet: "default", firewalls: ["web"], isolated: true },
    });
    const insert = sent.find(({ method, path }) => method === "POST" && path.endsWith("/instances"));
    expect(insert?.body["networkInterfaces"]).toEqual([
      { network: "global/networks/default", subnetwork: "regions/us-central1/subnetworks/default" },
    ]);
    expect(insert?.body["tags"]).toEqual({ items: ["web"] });
    expect(made.addresses).not.toHaveProperty("publicIpv4");
    expect(made.addresses).toHaveProperty("privateIpv4");
  });

  test("of the settings is not mixed with the caller's", async () => {
    const { another, sent } = gcpWorld();
    const provider = another({ network: "default", subnetwork: "default" });
    await provider.spawn({ key: "job", network: { id: "default" } });
    const insert = sent.find(({ method, path }) => method === "POST" && path.endsWith("/instances"));
    expect(insert?.body["networkInterfaces"]).toMatchObject([{ network: "global/networks/default" }]);
    expect(JSON.stringify(insert?.body["networkInterfaces"])).not.toContain("subnetwork");
    for (const network of [{ id: "Not A Name" }, { subnet: "../x" }, { firewalls: ["Upper"] }]) {
      expect(await failure(provider.spawn({ network }))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    }
  });
});
