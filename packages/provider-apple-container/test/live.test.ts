import { mkdir, writeFile } from "node:fs/promises";
import { commandRunner } from "@slipway/provider-kit/command";
import { afterAll, describe, expect, test } from "vitest";
import { appleContainer } from "../src/index.ts";

// On a real Mac: only with SLIPWAY_LIVE_APPLE=1, and `container` running. It ends all that it has tagged, also what an
// earlier run has left, and writes what the command really printed to SLIPWAY_LIVE_RECORD (a directory).
const { SLIPWAY_LIVE_APPLE, SLIPWAY_LIVE_RECORD = "live-record", SLIPWAY_CONTAINER = "container" } = process.env;
const isLive = SLIPWAY_LIVE_APPLE === "1";
const OWNER = "slipway-live-test";
const TEN_MINUTES_MS = 600_000;
const PROBE = "slipway-live-probe";
const IMAGE = "docker.io/library/alpine:latest";

/** What could only be read about, and not tried: the bytes of the answers, and how calls are refused. */
const PROBES: readonly (readonly string[])[] = [
  ["--version"],
  ["system", "status", "--format", "json"],
  ["system", "version", "--format", "json"],
  ["create", "--name", PROBE, "--label", "slipway-live=1", "--cpus", "64", "--memory", "256m", IMAGE, "sleep", "600"],
  ["list", "--all", "--format", "json"],
  ["inspect", PROBE],
  ["create", "--name", PROBE, IMAGE],
  ["run", "--detach", "--progress", "none", "--name", PROBE, IMAGE],
  ["copy", "/etc/hosts", `${PROBE}:/tmp/hosts`],
  ["start", PROBE],
  ["inspect", PROBE],
  ["delete", PROBE],
  ["exec", PROBE, "no-such-program"],
  ["exec", PROBE, "sh", "-c", "exit 7"],
  ["stop", "--time", "1", PROBE],
  ["stop", PROBE],
  ["start", PROBE],
  ["inspect", PROBE],
  ["kill", PROBE],
  ["kill", PROBE],
  ["inspect", "slipway-live-nobody"],
  ["stop", "slipway-live-nobody"],
  ["delete", "--force", "slipway-live-nobody"],
  ["run", "--detach", "--progress", "none", "--memory", "512", IMAGE],
  ["run", "--detach", "--label", "a=b=c", IMAGE],
  ["run", "--no-such-flag", IMAGE],
  ["run", "--detach", "--progress", "plain", "docker.io/library/slipway-nobody:latest"],
  ["network", "list", "--format", "json"],
  ["volume", "list", "--format", "json"],
  ["image", "inspect", IMAGE],
  ["k8s", "list"],
  ["delete", "--force", PROBE],
];

describe.skipIf(!isLive)("container itself", () => {
  const provider = appleContainer({ owner: OWNER, image: IMAGE });
  const run = commandRunner();

  const sweep = async (): Promise<void> => {
    for (const { id } of await provider.list()) await provider.terminate(id);
    for (const { id } of await provider.listVolumes()) await provider.deleteVolume(id);
    await run(SLIPWAY_CONTAINER, ["delete", "--force", PROBE], { timeoutMs: 60_000 });
  };
  afterAll(async () => {
    if (isLive) await sweep();
  }, TEN_MINUTES_MS);

  test(
    "an instance is spawned, found by its key, asked inside, and ended",
    async () => {
      await sweep();
      const volume = await provider.createVolume({ key: "live", sizeBytes: 1024 ** 3 });
      const options = {
        key: "live",
        resources: { cpus: 1, memoryBytes: 256 * 1024 ** 2 },
        labels: { purpose: "slipway=live" },
        volumes: [{ id: volume.id, mountPath: "/data" }],
        ports: [{ port: 80 }],
        bootstrap: { script: "echo booted; echo kept >/data/file; exit 3" },
      } as const;
      const spawned = await provider.spawn(options);
      expect(spawned).toMatchObject({ owner: OWNER, key: "live", status: "running", labels: options.labels });
      expect((await provider.spawn(options)).id).toBe(spawned.id);
      await expect
        .poll(async () => (await provider.get(spawned.id))?.bootstrap, { timeout: 60_000, interval: 500 })
        .toEqual({ state: "failed", exitCode: 3 });
      expect(await provider.exec(spawned.id, ["cat", "/data/file"])).toMatchObject({ exitCode: 0, stdout: "kept\n" });
      const lines: string[] = [];
      for await (const line of provider.logs(spawned.id)) lines.push(line);
      expect(lines).toContain("booted");
      await provider.terminate(spawned.id);
      await provider.terminate(spawned.id);
      expect(await provider.get(spawned.id)).toBeNull();
      await provider.deleteVolume(volume.id);
    },
    TEN_MINUTES_MS,
  );

  test(
    "what it prints is recorded",
    async () => {
      await run(SLIPWAY_CONTAINER, ["image", "pull", "--progress", "none", IMAGE], { timeoutMs: TEN_MINUTES_MS });
      const records: unknown[] = [];
      for (const args of PROBES) {
        const answer = await run(SLIPWAY_CONTAINER, args, { timeoutMs: 120_000 }).catch((error: unknown) => ({
          failed: String(error),
        }));
        records.push({ args, ...answer });
      }
      await mkdir(SLIPWAY_LIVE_RECORD, { recursive: true });
      const file = `${SLIPWAY_LIVE_RECORD}/container-${new Date().toISOString().replaceAll(":", "-")}.json`;
      await writeFile(file, `${JSON.stringify(records, undefined, 1)}\n`);
      expect(records).toHaveLength(PROBES.length);
    },
    TEN_MINUTES_MS,
  );
});
