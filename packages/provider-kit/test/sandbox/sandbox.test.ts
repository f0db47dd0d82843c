import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  endSandbox,
  execInSandbox,
  findSandbox,
  sandboxExitCode,
  sandboxLayout,
  sandboxState,
  startSandbox,
  systemProcessTable,
} from "../../src/sandbox/index.ts";
import { isolations, scratch, started, withoutBubblewrap } from "./sandboxes.ts";

async function tagged(id: string): Promise<readonly number[]> {
  return await systemProcessTable().withEnvironment([`SLIPWAY_SANDBOX_ID=${id}`]);
}

/** Looks until it is so; a real process has no clock of ours. */
async function until(done: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let look = 0; look < 500; look++) {
    if (await done()) return;
    await pause(10);
  }
  throw new Error(`waited in vain: ${what}`);
}

describe.each(isolations)("a sandbox with $isolation", (isolation) => {
  test("runs its command in its own root, and what it prints is in the log", async () => {
    const sandbox = await started(isolation, {
      argv: ["sh", "-c", 'echo "$SLIPWAY_SANDBOX_ID $EXTRA"; touch "$SLIPWAY_ROOT/tmp/made"; sleep 1000'],
      environment: { EXTRA: "it's $(here)" },
    });
    const { log, root } = sandboxLayout(sandbox.directory);
    await until(() => existsSync(join(root, "tmp/made")), "the command's file");
    expect(readFileSync(log, "utf8")).toBe(`${sandbox.id} it's $(here)\n`);
    expect(await sandboxState(sandbox)).toBe("alive");
  });

  test("has nothing in its log that its own end wrote", async () => {
    const nested = 'touch "$SLIPWAY_ROOT/tmp/made"; sh -c "sleep 1000; :"; :';
    for (let each = 0; each < 5; each++) {
      const sandbox = await started(isolation, { argv: ["sh", "-c", nested] });
      const { log, root } = sandboxLayout(sandbox.directory);
      await until(() => existsSync(join(root, "tmp/made")), "the command's file");
      await endSandbox(sandbox);
      expect(readFileSync(log, "utf8")).toBe("");
    }
  });

  test("gives nothing of the caller's environment away", async () => {
    process.env["SLIPWAY_TEST_CREDENTIAL"] = "top secret";
    onTestFinished(() => void delete process.env["SLIPWAY_TEST_CREDENTIAL"]);
    const sandbox = await started(isolation);
    const { stdout } = await execInSandbox(sandbox, ["env"]);
    expect(stdout).not.toContain("top secret");
    expect(stdout).toContain(`SLIPWAY_SANDBOX_ID=${sandbox.id}`);
  });

  test("runs a command with arguments, input, output and exit code as they are", async () => {
    const sandbox = await started(isolation);
    const words = ["it's", '"$(id)"', "`x`", "a\nb", "", "ünï", "-n", "--"];
    const chunks: string[] = [];
    const result = await execInSandbox(
      sandbox,
      ["sh", "-c", 'cat; for w in "$@"; do printf "<%s>" "$w"; done; echo oops >&2; exit 7', "sh", ...words],
      { stdin: "in:", onStdout: (chunk) => chunks.push(chunk) },
    );
    expect(result).toEqual({
      exitCode: 7,
      stdout: `in:${words.map((word) => `<${word}>`).join("")}`,
      stderr: "oops\n",
    });
    expect(chunks.join("")).toBe(result.stdout);
  });

  test("answers 127 for a program that is not there, and 137 for a command that was killed", async () => {
    const sandbox = await started(isolation);
    expect((await execInSandbox(sandbox, ["no-such-program"])).exitCode).toBe(127);
    expect((await execInSandbox(sandbox, ["sh", "-c", "kill -9 $$"])).exitCode).toBe(137);
    expect(await sandboxState(sandbox)).toBe("alive");
  });

  test("does not wait for what a command leaves in the background", async () => {
    const sandbox = await started(isolation);
    const { stdout } = await execInSandbox(sandbox, ["sh", "-c", "sleep 1000 & echo done"]);
    expect(stdout).toBe("done\n");
  });

  test("ends a command whose signal aborts, and one that prints without end", async () => {
    const sandbox = await started(isolation);
    const controller = new AbortController();
    const aborted = execInSandbox(sandbox, ["sh", "-c", "echo up; exec sleep 999"], {
      signal: controller.signal,
      onStdout: () => controller.abort(),
    });
    await expect(aborted).rejects.toMatchObject({ reason: "aborted" });
    await expect(execInSandbox(sandbox, ["yes"], { maxOutput: 10_000 })).rejects.toMatchObject({
      reason: "too-much-output",
    });
    await until(
      async () => !(await commandLines(sandbox.id)).some((line) => /^(yes|sleep 999)/.test(line)),
      "their end",
    );
    expect(await sandboxState(sandbox)).toBe("alive");
  });

  test("ends with everything in it, also what left its session, its parent and its environment", async () => {
    // A duration that no other process of this machine sleeps.
    const seconds = `${process.pid}.25`;
    const sandbox = await started(isolation, {
      argv: [
        "sh",
        "-c",
        `setsid sleep 1001 & (env -i setsid sleep ${seconds} &); : >"$SLIPWAY_ROOT/tmp/up"; sleep 1003`,
      ],
    });
    await until(() => existsSync(join(sandboxLayout(sandbox.directory).root, "tmp/up")), "its children");
    await execInSandbox(sandbox, ["sh", "-c", "setsid sleep 1004 >/dev/null 2>&1 &"]);
    await endSandbox(sandbox);
    expect(await tagged(sandbox.id)).toEqual([]);
    expect(sleeping(seconds)).toEqual([]);
    expect(await sandboxState(sandbox)).toBe("dead");
    await expect(execInSandbox(sandbox, ["true"])).rejects.toMatchObject({ reason: "gone" });
    await endSandbox(sandbox);
  });

  test("is found again by a caller that lost the handle, and not once it was given up", async () => {
    const sandbox = await started(isolation);
    const { process: _lost, ...place } = sandbox;
    expect(await findSandbox(place)).toEqual(sandbox);
    await endSandbox(place);
    expect(await findSandbox(place)).toBeNull();
    expect(await tagged(sandbox.id)).toEqual([]);
  });

  test("never takes another process for it: neither a reused id nor another boot", async () => {
    const sandbox = await started(isolation);
    const reused = { ...sandbox, process: { ...sandbox.process, startTime: "1" } };
    const rebooted = { ...sandbox, process: { ...sandbox.process, bootId: "another" } };
    const elsewhere = { ...sandbox, process: { ...sandbox.process, namespace: "another" } };
    expect(await Promise.all([reused, rebooted, elsewhere].map(sandboxState))).toEqual(["dead", "dead", "elsewhere"]);
    // An innocent process under a handle that is out of date survives the end of the sandbox.
    await endSandbox({
      ...reused,
      id: "another-id",
      directory: scratch(),
      process: { ...reused.process, pid: process.pid },
    });
    expect(await sandboxState(sandbox)).toBe("alive");
  });

  test("ends itself if its start was given up before it began", async () => {
    const directory = scratch();
    const starting = started(isolation, { directory, id: `race-${process.pid}-${isolation.isolation}` });
    // As a second caller who gives the first one up: without its tag no start may go on.
    const { attempt } = sandboxLayout(directory);
    const given = until(() => existsSync(attempt), "the attempt").then(() => writeFileSync(attempt, "another\n"));
    const [outcome] = await Promise.allSettled([starting, given]);
    if (outcome.status === "fulfilled") return expect(await sandboxState(outcome.value)).toBe("alive");
    expect(outcome.reason).toMatchObject({ reason: "not-started" });
    expect(await tagged(`race-${process.pid}-${isolation.isolation}`)).toEqual([]);
  });

  test("says why it did not start, and leaves no process", async () => {
    const directory = scratch();
    mkdirSync(join(directory, "console.log"));
    const id = `bad-${process.pid}-${isolation.isolation}`;
    await expect(startSandbox({ id, directory, isolation, argv: ["true"] })).rejects.toMatchObject({ code: "EISDIR" });
    await expect(startSandbox({ id: "a/b", directory, isolation, argv: ["true"] })).rejects.toMatchObject({
      reason: "invalid",
    });
    expect(await tagged(id)).toEqual([]);
  });

  test("follows no link out of a root that somebody prepared", async () => {
    const directory = scratch();
    const outside = scratch();
    writeFileSync(join(outside, "hostname"), "mine\n");
    mkdirSync(join(directory, "root"));
    symlinkSync(outside, join(directory, "root/etc"));
    await started(isolation, { directory, hostname: "theirs" });
    expect(readFileSync(join(outside, "hostname"), "utf8")).toBe("mine\n");
  });
});

describe.skipIf(withoutBubblewrap !== null)(
  `a sandbox with bubblewrap alone (${withoutBubblewrap ?? "it works"})`,
  () => {
    const [bubblewrap] = isolations;
    if (bubblewrap === undefined) throw new Error("there is always an isolation");

    test("has its own host name, processes and files, and read-only system directories", async () => {
      const sandbox = await started(bubblewrap, { hostname: "boxed" });
      const outside = scratch();
      const script = `hostname; cat /etc/hostname; ls -d ${outside}; touch /usr/x; ls /proc | grep -c '^[0-9]'; id -u`;
      const { stdout, stderr } = await execInSandbox(sandbox, ["sh", "-c", script]);
      const [name, file, processes, user] = stdout.trim().split("\n");
      expect([name, file, user]).toEqual(["boxed", "boxed", "0"]);
      expect(Number(processes)).toBeLessThan(10);
      expect(stderr).toContain("Read-only file system");
      expect(stderr).toMatch(/cannot access/);
      expect(hostname()).not.toBe("boxed");
    });

    test("keeps an entered command from making system directories writable", async () => {
      const sandbox = await started(bubblewrap);
      const own = await execInSandbox(sandbox, ["mount", "-o", "remount,rw,bind", "/usr"]);
      expect(own.exitCode).not.toBe(0);
      const nested = await execInSandbox(sandbox, ["unshare", "-Urm", "mount", "-o", "remount,rw,bind", "/usr"]);
      expect(nested.exitCode).not.toBe(0);
    });

    test("shares the host's network, or has none but its own", async () => {
      const interfaces = ["sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort | tr '\\n' ' '"];
      const shared = await execInSandbox(await started(bubblewrap), interfaces);
      const isolated = await execInSandbox(await started(bubblewrap, { network: "isolated" }), interfaces);
      expect(isolated.stdout).toBe("lo ");
      const own = readFileSync("/proc/net/dev", "utf8").split("\n").slice(2, -1);
      expect(shared.stdout.trim().split(" ")).toHaveLength(own.length);
    });

    test("sees a bound directory, writable or read-only", async () => {
      const source = scratch();
      const sandbox = await started(bubblewrap, {
        binds: [
          { source, target: "/data/rw" },
          { source, target: "/data/ro", readOnly: true },
        ],
      });
      const { stdout, stderr } = await execInSandbox(sandbox, [
        "sh",
        "-c",
        "echo kept >/data/rw/f; cat /data/ro/f; touch /data/ro/g",
      ]);
      expect([stdout, readFileSync(join(source, "f"), "utf8")]).toEqual(["kept\n", "kept\n"]);
      expect(stderr).toContain("Read-only file system");
    });

    test("is over when its command ends, with its exit code", async () => {
      const sandbox = await started(bubblewrap, { argv: ["sh", "-c", "setsid sleep 1000 & exit 3"] });
      await until(async () => (await tagged(sandbox.id)).length === 0, "its end");
      expect([await sandboxState(sandbox), sandboxExitCode(sandbox.directory)]).toEqual(["dead", 3]);
    });

    test("takes up what its processes leave, so that none stays a zombie", async () => {
      const sandbox = await started(bubblewrap);
      await execInSandbox(sandbox, ["sh", "-c", "for i in 1 2 3; do (sleep 0.01 &); done"]);
      const zombies = ["sh", "-c", "cat /proc/[0-9]*/stat | grep -c ') Z '"];
      await until(async () => (await execInSandbox(sandbox, zombies)).stdout === "0\n", "the end of zombies");
      expect((await execInSandbox(sandbox, ["sh", "-c", "kill -9 1; cat /proc/1/comm"])).stdout).toBe("sh\n");
    });

    test("says what bubblewrap said", async () => {
      const spec = { id: `no-bind-${process.pid}`, directory: scratch(), argv: ["true"] };
      const binds = [{ source: "/no/such/directory", target: "/data" }];
      await expect(startSandbox({ ...spec, isolation: bubblewrap, binds })).rejects.toThrow(/no\/such\/directory/);
    });
  },
);

test("process groups refuse what only bubblewrap can do", async () => {
  const least = isolations.at(-1);
  if (least === undefined) throw new Error("there is always an isolation");
  const spec = { id: "refused", directory: scratch(), isolation: least, argv: ["true"] };
  await expect(startSandbox({ ...spec, network: "isolated" })).rejects.toMatchObject({ reason: "unsupported" });
  await expect(startSandbox({ ...spec, binds: [{ source: "/tmp", target: "/x" }] })).rejects.toMatchObject({
    reason: "unsupported",
  });
});

/** Processes that sleep so long, whatever else they are. */
function sleeping(seconds: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${seconds}\0`;
    } catch {
      return false;
    }
  });
}

async function commandLines(id: string): Promise<string[]> {
  return (await tagged(id)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
      return "";
    }
  });
}
