import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { gcpWorld } from "./world.ts";

type Sent = ReturnType<typeof gcpWorld>["sent"][number];

// Google's reference: what a call of each method needs, with what its body asks for. Whoever calls another method has to
// write it down here, and then in the README.
const CALLS: readonly (readonly [method: string, path: RegExp, permissions: (sent: Sent) => readonly string[]])[] = [
  ["GET", /^zones$/, () => ["compute.zones.list"]],
  ["GET", /^(aggregated|zones\/[^/]+)\/instances$/, () => ["compute.instances.list"]],
  ["GET", /^zones\/[^/]+\/instances\/[^/]+$/, () => ["compute.instances.get"]],
  ["GET", /^zones\/[^/]+\/instances\/[^/]+\/getGuestAttributes$/, () => ["compute.instances.getGuestAttributes"]],
  ["POST", /^zones\/[^/]+\/instances$/, insertNeeds],
  ["DELETE", /^zones\/[^/]+\/instances\/[^/]+$/, () => ["compute.instances.delete"]],
  ["POST", /^zones\/[^/]+\/instances\/[^/]+\/suspend$/, () => ["compute.instances.suspend"]],
  ["POST", /^zones\/[^/]+\/instances\/[^/]+\/resume$/, () => ["compute.instances.resume"]],
  ["GET", /^zones\/[^/]+\/operations$/, () => ["compute.zoneOperations.list"]],
  ["GET", /^zones\/[^/]+\/operations\/[^/]+$/, () => ["compute.zoneOperations.get"]],
  ["POST", /^zones\/[^/]+\/operations\/[^/]+\/wait$/, () => ["compute.zoneOperations.get"]],
  ["GET", /^(aggregated|zones\/[^/]+)\/disks$/, () => ["compute.disks.list"]],
  ["GET", /^zones\/[^/]+\/disks\/[^/]+$/, () => ["compute.disks.get"]],
  ["POST", /^zones\/[^/]+\/disks$/, () => ["compute.disks.create", "compute.disks.setLabels"]],
  ["DELETE", /^zones\/[^/]+\/disks\/[^/]+$/, () => ["compute.disks.delete"]],
  ["GET", /^zones\/[^/]+\/machineTypes$/, () => ["compute.machineTypes.list"]],
  // The price list is public: any token reads it.
  ["GET", /^\/v1\/services\/[^/]+\/skus$/, () => []],
  ["GET", /^global\/machineImages$/, () => ["compute.machineImages.list"]],
  ["GET", /^global\/machineImages\/[^/]+$/, () => ["compute.machineImages.get"]],
  [
    "POST",
    /^global\/machineImages$/,
    () => [
      ...["compute.machineImages.create", "compute.machineImages.setLabels"],
      ...["compute.instances.useReadOnly", "compute.disks.createSnapshot"],
    ],
  ],
  ["DELETE", /^global\/machineImages\/[^/]+$/, () => ["compute.machineImages.delete"]],
  ["GET", /^global\/operations\/[^/]+$/, () => ["compute.globalOperations.get"]],
  ["POST", /^regions\/[^/]+\/advice\/capacityHistory$/, () => ["compute.advice.capacityHistory"]],
];

function insertNeeds({ body, query }: Sent): readonly string[] {
  const text = JSON.stringify({ ...body, ...Object.fromEntries(query) });
  const asked: readonly (readonly [RegExp, readonly string[]])[] = [
    [/"metadata"/, ["compute.instances.setMetadata"]],
    [/"labels"/, ["compute.instances.setLabels", "compute.disks.setLabels"]],
    [/"initializeParams"/, ["compute.disks.create"]],
    [/"source":/, ["compute.disks.use"]],
    [/"sourceImage":"projects\/(?!slipway-tests)/, ["compute.images.useReadOnly"]],
    [/"sourceMachineImage"/, ["compute.machineImages.useReadOnly"]],
    [/"networkInterfaces"/, ["compute.subnetworks.use"]],
    [/"network":/, ["compute.networks.use"]],
    [/"accessConfigs"/, ["compute.subnetworks.useExternalIp"]],
    [/"tags"/, ["compute.instances.setTags"]],
    [/"serviceAccounts"/, ["compute.instances.setServiceAccount", "iam.serviceAccounts.actAs"]],
    // What is made with its instance goes with it.
    [/"autoDelete":true/, ["compute.disks.delete"]],
  ];
  return ["compute.instances.create", ...asked.flatMap(([part, permissions]) => (part.test(text) ? permissions : []))];
}

/** Every method of the provider, with every option that asks Google for more, and what goes wrong on the way. */
async function recorded(zones: readonly string[]): Promise<readonly Sent[]> {
  const { another, emulator, sent } = gcpWorld({ conflictInOperation: true, deleteMs: 500 }, { zones });
  const provider = another({ serviceAccount: "robot@slipway-tests.iam.gserviceaccount.com" });
  const volume = await provider.createVolume({ key: "data", sizeBytes: 10 * 1024 ** 3 });
  const { id, nativeId } = await provider.spawn({
    key: "job",
    volumes: [{ id: volume.id, mountPath: "/data" }],
    network: { id: "default", firewalls: ["web"] },
    hibernation: true,
    sshKeys: ["ssh-ed25519 AAAA"],
    bootstrap: { script: "exit 0" },
  });
  await Promise.all(
    [provider.spawn({ key: "other" }), another().spawn({ key: "other" })].map((one) => one.catch(() => undefined)),
  );
  await provider.requestSpotInstance({ key: "spot", spot: { maxUsdPerHour: 1 } });
  emulator.control.faults.add({ operation: "spawn", when: "before", row: "op-preempted" });
  await provider.spawn({ key: "preempted", spot: {} }).catch(() => undefined);
  await provider.hibernate(id);
  await provider.resume(id);
  await provider.get(nativeId);
  await provider.readBootstrap(id);
  await provider.list();
  await provider.getSpotPrices({ specs: ["e2-medium"] });
  await provider.listVolumes();
  await provider.listOfferings();
  const copied = await provider.spawn({ key: "to-copy" });
  const snapshot = await provider.createSnapshot(copied.id, { key: "copy" });
  await emulator.clock.sleep(60_000);
  await provider.getSnapshotStatus(snapshot.id);
  await provider.listSnapshots();
  await provider.spawn({ key: "copied", fromSnapshot: snapshot.id });
  await provider.deleteSnapshot(snapshot.id);
  await Promise.all([provider.terminate(id), another().terminate(id)]);
  await emulator.clock.sleep(60_000);
  await provider.deleteVolume(volume.id);
  emulator.control.setReachable("europe-west1-d", false);
  await provider.list().catch(() => undefined);
  await provider.getSpotPrices();
  return sent;
}

test("the permissions of the README are exactly those of the calls that are made", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, table = ""] = /exactly these permissions[\s\S]*?\n\n([\s\S]*?)\n\n/.exec(readme) ?? [];
  const written = table.match(/(?:compute|iam|cloudbilling)\.[A-Za-z]+\.[A-Za-z]+/g) ?? [];
  const zones = ["us-central1-a", "europe-west1-d"];
  const sent = [...(await recorded(zones)), ...(await recorded(zones.slice(0, 1))), startup];
  const needed = sent.flatMap((one) => {
    const found = CALLS.find(([method, path]) => method === one.method && path.test(one.path));
    if (found === undefined) throw new Error(`no permission is known for ${one.method} ${one.path}`);
    return found[2](one);
  });
  expect([...new Set(written)].sort()).toEqual([...new Set(needed)].sort());
  expect(CALLS.filter(([method, path]) => !sent.some((one) => method === one.method && path.test(one.path)))).toEqual(
    [],
  );
});

// `onStartup` stands in the hooks, not in the provider.
const startup: Sent = { method: "GET", path: "zones", query: new URLSearchParams(), headers: new Headers(), body: {} };
