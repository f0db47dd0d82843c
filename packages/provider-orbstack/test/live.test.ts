import { mkdir, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { afterAll, describe, expect, test } from "vitest";
import { orbstack } from "../src/index.ts";

// On a real Mac: only with SLIPWAY_LIVE_ORBSTACK=1, and OrbStack running. It ends all that it has tagged, also what an
// earlier run has left, and writes what `orbctl` really printed to SLIPWAY_LIVE_RECORD (a directory). With
// SLIPWAY_LIVE_STOP=1 it also stops all of OrbStack for a moment, Docker with it, to see what is said then.
const { SLIPWAY_LIVE_ORBSTACK, SLIPWAY_LIVE_STOP, SLIPWAY_LIVE_RECORD = "live-record" } = process.env;
const { SLIPWAY_ORBCTL = "orbctl" } = process.env;
const isLive = SLIPWAY_LIVE_ORBSTACK === "1";
const OWNER = "slipway-live-test";
const TEN_MINUTES_MS = 600_000;
const PROBE = "slipway-live-probe";
const COPY = "slipway-live-copy";
const NOBODY = "slipway-live-nobody";
const ODD_NAMES = ["Slipway_live", `slipway-live-${"x".repeat(70)}`];
const DISTRO = "alpine";
const LOOK_MS = 100;

interface Probe {
  readonly args: readonly string[];
  /** While it runs, the list is read this often. */
  readonly watched?: boolean;
}

const probe = (...args: readonly string[]): Probe => ({ args });

/** What could only be read about, and not tried: the bytes of the answers, and how calls are refused. */
const PROBES: readonly Probe[] = [
  probe("--help"),
  ...["create", "delete", "run", "list", "info", "config"].map((command) => probe(command, "--help")),
  probe("version"),
  probe("status"),
  probe("list", "--format", "json"),
  { args: ["create", "--user", "slip-probe", "--isolated", DISTRO, PROBE], watched: true },
  probe("create", DISTRO, PROBE),
  probe("list", "--format", "json"),
  probe("info", PROBE, "--format", "json"),
  probe("info", NOBODY, "--format", "json"),
  probe("create", "slipway-no-distro", NOBODY),
  probe("create", "--arch", "riscv", DISTRO, NOBODY),
  // Not `docker`: what it made by that name could not be told from the user's own.
  ...ODD_NAMES.map((name) => probe("create", DISTRO, name)),
  probe("create", DISTRO, "-x"),
  probe("run", "-m", PROBE, "-u", "root", "-w", "/root", "sh", "-c", "id; pwd; echo err >&2; exit 7"),
  probe("run", "-m", PROBE, "--", "true"),
  probe("run", "-m", PROBE, "-u", "nobody-of-that-name", "true"),
  probe("run", "-m", PROBE, "no-such-program"),
  probe("run", "-m", PROBE, "-u", "root", "sh", "-c", "sleep 300 &"),
  probe("run", "-m", PROBE, "-u", "root", "sh", "-c", "ps | grep 'sleep 300'"),
  probe("run", "-m", PROBE, "-u", "root", "sh", "-c", "mkdir -p /var/lib/slipway; echo x >/var/lib/slipway/probe"),
  probe("pull", "-m", PROBE, "/var/lib/slipway/probe", join(tmpdir(), "slipway-live-pulled")),
  probe("pull", "-m", PROBE, "/no/such/file", join(tmpdir(), "slipway-live-pulled")),
  probe("config", "set", `machine.${PROBE}.cpu`, "1"),
  probe("config", "get", `machine.${PROBE}.cpu`),
  probe("info", PROBE, "--format", "json"),
  { args: ["clone", PROBE, COPY], watched: true },
  probe("clone", PROBE, COPY),
  probe("list", "--format", "json"),
  probe("stop", PROBE),
  probe("stop", PROBE),
  probe("info", PROBE, "--format", "json"),
  probe("pull", "-m", PROBE, "/var/lib/slipway/probe", join(tmpdir(), "slipway-live-pulled")),
  probe("push", "-m", PROBE, join(tmpdir(), "slipway-live-pulled"), "/var/lib/slipway/pushed"),
  probe("info", PROBE, "--format", "json"),
  probe("start", NOBODY),
  probe("stop", NOBODY),
  probe("delete", "--force", NOBODY),
  probe("logs", PROBE),
  probe("delete", COPY),
  probe("delete", "--force", COPY),
  { args: ["delete", "--force", PROBE], watched: true },
  probe("list", "--format", "json"),
];

const WHILE_STOPPED: readonly Probe[] = [
  probe("stop"),
  probe("status"),
  probe("list", "--format", "json"),
  probe("info", NOBODY, "--format", "json"),
  probe("status"),
  probe("start"),
  probe("status"),
];

describe.skipIf(!isLive)("OrbStack itself", () => {
  const provider = orbstack({ owner: OWNER, image: DISTRO });
  const exec = commandRunner({ defaults: { env: { HOME: homedir() } } });
  const run = (args: readonly string[], timeoutMs = 300_000) => exec(SLIPWAY_ORBCTL, args, { timeoutMs });

  const sweep = async (): Promise<void> => {
    for (const { id } of await provider.list()) await provider.terminate(id);
    for (const { id } of await provider.listSnapshots()) await provider.deleteSnapshot(id);
    for (const name of [PROBE, COPY, NOBODY, ...ODD_NAMES])
      await run(["delete", "--force", name]).catch(() => undefined);
  };
  afterAll(async () => {
    if (isLive) await sweep();
  }, TEN_MINUTES_MS);

  test(
    "an instance is spawned, found by its key, asked inside, copied, and ended",
    async () => {
      await sweep();
      const options = {
        key: "live",
        resources: { cpus: 1, memoryBytes: 512 * 1024 ** 2 },
        labels: { purpose: "slipway=live" },
        bootstrap: { script: "echo booted; exit 3" },
      } as const;
      const spawned = await provider.spawn(options);
      expect(spawned).toMatchObject({ owner: OWNER, key: "live", status: "running", labels: options.labels });
      expect((await provider.spawn(options)).id).toBe(spawned.id);
      // Another process, which knows nothing yet, reads the tag.
      expect(await orbstack({ owner: OWNER }).list({ keys: ["live"] })).toMatchObject([{ labels: options.labels }]);
      await expect
        .poll(async () => (await provider.get(spawned.id))?.bootstrap, { timeout: 60_000, interval: 500 })
        .toEqual({ state: "failed", exitCode: 3 });
      expect(await provider.exec(spawned.id, ["sh", "-c", "exit 7"])).toMatchObject({ exitCode: 7 });
      const lines: string[] = [];
      for await (const line of provider.logs(spawned.id)) lines.push(line);
      expect(lines).toContain("booted");
      const snapshot = await provider.createSnapshot(spawned.id, { key: "live" });
      expect(await provider.getSnapshotStatus(snapshot.id)).toBe("available");
      await provider.terminate(spawned.id);
      await provider.terminate(spawned.id);
      expect(await provider.get(spawned.id)).toBeNull();
      const restored = await provider.spawn({ key: "restored", fromSnapshot: snapshot.id });
      expect(restored.status).toBe("running");
      await provider.terminate(restored.id);
      await provider.deleteSnapshot(snapshot.id);
    },
    TEN_MINUTES_MS,
  );

  const watched = async (working: Promise<unknown>): Promise<readonly unknown[]> => {
    const seen: unknown[] = [];
    let done = false;
    void working.finally(() => (done = true)).catch(() => undefined);
    await expect
      .poll(
        async () => {
          const { stdout } = await run(["list", "--format", "json"], 15_000).catch(() => ({ stdout: "" }));
          if (seen.at(-1) !== stdout) seen.push(stdout);
          return done;
        },
        { timeout: TEN_MINUTES_MS / 2, interval: LOOK_MS },
      )
      .toBe(true);
    return seen;
  };

  test(
    "what it prints is recorded",
    async () => {
      const records: unknown[] = [];
      for (const { args, watched: isWatched } of [...PROBES, ...(SLIPWAY_LIVE_STOP === "1" ? WHILE_STOPPED : [])]) {
        const began = performance.now();
        const answer = run(args).catch((error: unknown) => ({ failed: String(error) }));
        const lists = isWatched === true ? await watched(answer) : [];
        records.push({ args, ...(await answer), ms: Math.round(performance.now() - began), lists });
      }
      await mkdir(SLIPWAY_LIVE_RECORD, { recursive: true });
      const file = `${SLIPWAY_LIVE_RECORD}/orbctl-${new Date().toISOString().replaceAll(":", "-")}.json`;
      await writeFile(file, `${JSON.stringify(records, undefined, 1)}\n`);
      expect(records.length).toBeGreaterThanOrEqual(PROBES.length);
    },
    TEN_MINUTES_MS,
  );
});
