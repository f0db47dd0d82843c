import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nameFor } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { local } from "../src/index.ts";
import { variablesFor } from "./local-harness.ts";
import { crash, taggedProcesses } from "./machine-inspector.ts";
import { isolations, linesOf, until, world } from "./worlds.ts";

describe.each(isolations)("an instance with $isolation", ({ isolation }) => {
  test("runs its bootstrap inside, with its files and variables, once", async () => {
    const { provider } = world(isolation);
    const { id, rootDirectory } = await provider.spawn({
      name: "web-1",
      bootstrap: {
        script:
          'hostname >"$SLIPWAY_ROOT/tmp/host"; cat "$SLIPWAY_ROOT/etc/motd"; echo "$GREETING" | tee -a "$HOME/ran"',
        environment: { GREETING: "it's $(done)" },
        files: [{ path: "/etc/motd", content: "welcome\n" }],
      },
    });
    await until(
      () => provider.get(id),
      (seen) => seen?.bootstrap?.state === "succeeded",
    );
    expect(readFileSync(join(rootDirectory, "root/ran"), "utf8")).toBe("it's $(done)\n");
    expect((await linesOf(provider.logs(id))).slice(0, 2)).toEqual(["welcome", "it's $(done)"]);
    if (isolation === "bubblewrap") expect(readFileSync(join(rootDirectory, "tmp/host"), "utf8")).toBe("web-1\n");
  });

  test("says what it is", async () => {
    const { provider, stateDirectory, owner } = world(isolation);
    const instance = await provider.spawn({ key: "k", labels: { a: "b" }, expiresAt: "2030-01-01T00:00:00Z" });
    expect(instance).toMatchObject({
      status: "running",
      isolation,
      key: "k",
      owner,
      labels: { a: "b" },
      expiresAt: "2030-01-01T00:00:00Z",
      isSpot: false,
      rootDirectory: join(stateDirectory, "instances", nameFor(owner, "k"), "root"),
    });
    expect(instance.price).toBeUndefined();
    expect(taggedProcesses().some(({ pid, id }) => pid === instance.pid && id === instance.id)).toBe(true);
  });

  test("that failed its bootstrap says so with exit code and last lines, and can still be entered", async () => {
    const { provider } = world(isolation);
    const { id } = await provider.spawn({ bootstrap: { script: "echo first; echo 'no such disk' >&2; exit 42" } });
    const failed = await until(
      () => provider.get(id),
      (seen) => seen?.status !== "running",
    );
    expect(failed).toMatchObject({ status: "error", bootstrap: { state: "failed", exitCode: 42 } });
    expect(failed?.statusReason?.code).toBe("bootstrap-failed");
    expect(failed?.statusReason?.message).toMatch(/exit code 42; it printed last: first \| no such disk/);
    expect((await provider.exec(id, ["echo", "in"])).stdout).toBe("in\n");
  });

  test("whose processes are killed is terminated, says why, and its key gives a new one", async () => {
    const { provider, live } = world(isolation);
    const first = await provider.spawn({ key: "k" });
    await crash(first.id);
    expect(await provider.get(first.id)).toMatchObject({
      status: "terminated",
      pid: null,
      statusReason: { code: "ended" },
    });
    expect(await provider.list()).toEqual([]);
    expect(await provider.list({ status: ["terminated"] })).toHaveLength(1);
    const second = await provider.spawn({ key: "k" });
    expect(second.id).not.toBe(first.id);
    expect(live()).toEqual([second.id]);
    expect(await provider.get(first.id)).toBeNull();
    await provider.terminate(first.id);
    expect(live()).toEqual([second.id]);
  });

  test("is terminated after a restart of the machine, whatever has its process id now", async () => {
    const { provider, stateDirectory, owner } = world(isolation);
    const { id } = await provider.spawn({ key: "k" });
    const path = join(stateDirectory, "instances", nameFor(owner, "k"), "record.json");
    const record = JSON.parse(readFileSync(path, "utf8")) as { process: { bootId: string } };
    writeFileSync(path, JSON.stringify({ ...record, process: { ...record.process, bootId: "the boot before" } }));
    expect(await provider.get(id)).toMatchObject({ status: "terminated", statusReason: { code: "restarted" } });
  });

  test("leaves no process and no directory, whatever it started", async () => {
    const { provider, stateDirectory, live } = world(isolation);
    const script = 'setsid sleep 1005 & (env -i setsid sleep 1006 &) ; mkdir -p "$HOME/a/b"; chmod 000 "$HOME/a"';
    const { id } = await provider.spawn({ bootstrap: { script } });
    await until(
      () => provider.get(id),
      (seen) => seen?.bootstrap?.state === "succeeded",
    );
    await provider.exec(id, ["sh", "-c", "setsid sleep 1007 >/dev/null 2>&1 &"]);
    await provider.terminate(id);
    await provider.terminate(id);
    expect([
      live(),
      readdirSync(join(stateDirectory, "instances")),
      readdirSync(join(stateDirectory, "locks")),
    ]).toEqual([[], [], []]);
    expect(await provider.get(id)).toBeNull();
  });

  test("ends while its logs are followed, and the following ends with it", async () => {
    const { provider } = world(isolation);
    const { id } = await provider.spawn({ bootstrap: { script: "echo one; sleep 0.1; echo two; sleep 1000" } });
    const seen: string[] = [];
    for await (const line of provider.logs(id, { follow: true })) {
      seen.push(line);
      if (line === "two") await crash(id);
    }
    expect(seen).toEqual(["one", "two"]);
  });

  test("keeps its volumes to itself while it lives, and leaves them behind", async () => {
    const { provider } = world(isolation);
    const volume = await provider.createVolume({ key: "v", sizeBytes: 1024 });
    const volumes = [{ id: volume.id, mountPath: "/srv/data" }];
    const first = await provider.spawn({ key: "first", volumes });
    await provider.exec(first.id, ["sh", "-c", 'echo kept >"$SLIPWAY_ROOT/srv/data/file"']);
    await expect(provider.spawn({ key: "second", volumes })).rejects.toMatchObject({
      code: "INVALID_STATE",
      effect: "none",
      native: { id: first.id },
    });
    await provider.terminate(first.id);
    const second = await provider.spawn({ key: "second", volumes });
    const { stdout } = await provider.exec(second.id, ["sh", "-c", 'cat "$SLIPWAY_ROOT/srv/data/file"']);
    expect(stdout).toBe("kept\n");
  });

  test("comes back from a snapshot with its files, and with a host name of its own", async () => {
    const { provider } = world(isolation);
    const source = await provider.spawn({ key: "source", name: "source" });
    await provider.exec(source.id, ["sh", "-c", 'cd "$HOME"; echo x >f; ln -s f l; mkfifo p; chmod 640 f']);
    const snapshot = await provider.createSnapshot(source.id, { key: "s" });
    await provider.terminate(source.id);
    expect(await provider.getSnapshotStatus(snapshot.id)).toBe("available");
    const copy = await provider.spawn({ key: "copy", name: "copy", fromSnapshot: snapshot.id });
    const look = 'cd "$HOME"; cat l; stat -c %a f; test -p p && echo fifo; hostname';
    const lines = (await provider.exec(copy.id, ["sh", "-c", look])).stdout.trim().split("\n");
    expect(lines.slice(0, 3)).toEqual(["x", "640", "fifo"]);
    if (isolation === "bubblewrap") expect(lines[3]).toBe("copy");
  });

  test("cannot read more of this machine through its own files than it could itself", async () => {
    const { provider, stateDirectory, owner } = world(isolation);
    const { id } = await provider.spawn({ key: "k", bootstrap: { script: "exit 0" } });
    await until(
      () => provider.get(id),
      (seen) => seen?.bootstrap?.state === "succeeded",
    );
    const exit = join(stateDirectory, "instances", nameFor(owner, "k"), "run/bootstrap.exit");
    await provider.exec(id, ["sh", "-c", 'cd "$SLIPWAY_RUN_DIR"; rm bootstrap.exit; ln -s /etc/passwd bootstrap.exit']);
    expect(readFileSync(exit, "utf8")).toContain("root:");
    expect((await provider.get(id))?.bootstrap?.state).toBe("running");
    await provider.exec(id, ["sh", "-c", 'cd "$SLIPWAY_RUN_DIR"; rm bootstrap.exit; mkfifo bootstrap.exit']);
    expect((await provider.get(id))?.status).toBe("running");
  });
});

test("another owner in the same directory is another world, unless asked for", async () => {
  const [first] = isolations;
  if (first === undefined) throw new Error("there is always an isolation");
  const mine = world(first.isolation);
  const variables = variablesFor(first.isolation);
  const theirs = local({ owner: "somebody-else", stateDirectory: mine.stateDirectory, variables });
  const a = await mine.provider.spawn({ key: "k" });
  const b = await theirs.spawn({ key: "k" });
  expect(a.id).not.toBe(b.id);
  expect((await mine.provider.list()).map(({ id }) => id)).toEqual([a.id]);
  expect((await mine.provider.list({ owner: "*" })).map(({ id }) => id).sort()).toEqual([a.id, b.id].sort());
  await theirs.terminate(b.id);
});
