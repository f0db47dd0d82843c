import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ec2Emulator } from "../emulator/index.ts";
import { aws } from "../src/index.ts";
import { terminateByHook } from "../src/terminate-by.ts";
import { CREDENTIALS } from "./aws-harness.ts";
import { awsWorld, through } from "./world.ts";

const spec = { spec: "t3.micro" } as const;
const MINUTE = 60_000;

function timed(settings: Parameters<typeof awsWorld>[0] = {}) {
  const world = awsWorld({ bootMs: 10_000, ...settings });
  const { clock } = world.emulator;
  const terminateBy = new Date(clock.now() + 10 * MINUTE).toISOString();
  const statusOf = async (id: string) => (await world.provider.get(id))?.status ?? "gone";
  return { ...world, clock, terminateBy, statusOf };
}

describe("terminateBy on EC2", () => {
  test("asks that a shutdown terminates, says it in a tag, and tells it", async () => {
    const { provider, sent, terminateBy } = timed();
    const instance = await provider.spawn({ ...spec, key: "k", terminateBy });
    expect(instance.terminateBy).toEqual({ at: terminateBy, by: "machine" });
    const [request] = sent("RunInstances");
    expect(request?.parameters.get("InstanceInitiatedShutdownBehavior")).toBe("terminate");
    await provider.spawn({ ...spec, key: "without" });
    expect(sent("RunInstances")[1]?.parameters.get("InstanceInitiatedShutdownBehavior")).toBeNull();
    expect(sent("RunInstances")[1]?.parameters.get("UserData")).toBeNull();
  });

  test.each([
    ["alone", {}],
    ["beside a bootstrap and keys", { bootstrap: { script: "echo hi" }, sshKeys: ["ssh-ed25519 AAAA me"] }],
    ["beside so much that it is compressed", { bootstrap: { script: `echo hi\n${"# a comment\n".repeat(2000)}` } }],
    ["on a spot instance, where EC2 takes no behaviour", { spot: {} }],
  ])("the machine ends at its time, and not earlier: %s", async (_, options) => {
    const { provider, clock, terminateBy, statusOf } = timed();
    const { id } = await provider.spawn({ ...spec, key: "k", terminateBy, ...options });
    await clock.sleep(10 * MINUTE - 5_000);
    expect(await statusOf(id)).toBe("running");
    await clock.sleep(2 * MINUTE);
    expect(await statusOf(id)).toBe("terminated");
  });

  test("one that is stopped meanwhile keeps its disks, and ends once it is started again", async () => {
    const { provider, clock, terminateBy, statusOf } = timed();
    const { id } = await provider.spawn({ ...spec, spec: "m5.large", key: "k", terminateBy, hibernation: true });
    await clock.sleep(3 * MINUTE);
    await provider.hibernate(id);
    await clock.sleep(30 * MINUTE);
    expect(await statusOf(id)).toBe("hibernated");
    await provider.resume(id);
    await clock.sleep(2 * MINUTE);
    expect(await statusOf(id)).toBe("terminated");
  });

  test("an image of Windows, which runs no boothook, is refused before anything is made", async () => {
    const world = timed();
    const windows = through(world, async (_, send) => {
      const answer = await send();
      const text = (await answer.text()).replace("<imageType>", "<platform>windows</platform><imageType>");
      return new Response(text, { status: answer.status, headers: answer.headers });
    });
    await expect(windows.spawn({ ...spec, key: "k", terminateBy: world.terminateBy })).rejects.toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
      // Not "give expiresAt": that of a launch comes back as a terminateBy.
      hint: expect.stringContaining("leave both out"),
    });
    expect(world.sent("RunInstances")).toEqual([]);
  });

  test("without the behaviour a guest's shutdown only stops it: the emulator tells the two apart", async () => {
    const emulator = ec2Emulator({ credentials: [CREDENTIALS], limits: null, bootMs: 10_000 });
    const { clock } = emulator;
    const fetch: typeof globalThis.fetch = (input, init) => {
      const { body } = init ?? {};
      if (typeof body !== "string") return emulator.fetch(input, init);
      return emulator.fetch(input, {
        ...init,
        body: body.replace("ShutdownBehavior=terminate", "ShutdownBehavior=stop"),
      });
    };
    const options = {
      credentials: CREDENTIALS,
      owner: "tests",
      regions: ["us-east-1"] as [string],
      readAfterWriteMs: 0,
    };
    const provider = aws({ ...options, runtime: { clock, fetch } });
    const terminateBy = new Date(clock.now() + 10 * MINUTE).toISOString();
    const { id } = await provider.spawn({ ...spec, key: "k", terminateBy });
    await clock.sleep(20 * MINUTE);
    expect((await provider.get(id))?.status).toBe("stopped");
  });
});

describe("the boothook in the machine", () => {
  /** A directory with programs of our own in front of the machine's, where each sleep is a second. */
  function machine(terminateBy: string, programs: Readonly<Record<string, string>> = {}) {
    const directory = mkdtempSync(join(tmpdir(), "slipway-terminate-by-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const log = join(directory, "log");
    const bin = join(directory, "bin");
    const home = join(directory, "home");
    for (const made of [bin, home]) mkdirSync(made);
    const all = {
      // In the foreground, so that the test sees its end.
      setsid: 'exec "$@"',
      date: `expr 1000 + $(wc -l <${directory}/slept)`,
      sleep: `echo "sleep $1" >>${log}; echo >>${directory}/slept`,
      shutdown: `echo "shutdown $*" >>${log}; kill -9 $PPID`,
      poweroff: `echo "poweroff $*" >>${log}; kill -9 $PPID`,
      ...programs,
    };
    for (const [name, body] of Object.entries(all)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    writeFileSync(join(directory, "slept"), "");
    const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, HOME: home };
    // The waiting part is in the background: `wait` in its parent.
    const hook = terminateByHook(terminateBy).replace(/exit 0\n$/, "wait\n");
    execFileSync("/bin/sh", ["-c", hook], { cwd: home, env });
    return { lines: readFileSync(log, "utf8").trim().split("\n"), left: readdirSync(home), directory };
  }
  const at = (seconds: number): string => new Date(seconds * 1000).toISOString();

  test("shuts down at its time, and leaves nothing on the disk that a snapshot would carry on", () => {
    const { lines, left } = machine(at(1003));
    expect(lines).toEqual(["sleep 5", "sleep 5", "sleep 5", "shutdown -P now"]);
    expect(left).toEqual([]);
  });

  test("shuts down at once where its time has passed while the machine was off", () => {
    expect(machine(at(999)).lines).toEqual(["shutdown -P now"]);
  });

  test.each([
    ["says nothing", "exit 1"],
    ["says what is no number", "echo Thu Jan 1"],
    ["cannot be started", "kill -9 $$"],
  ])("a clock that %s for a while ends nothing", (_, broken) => {
    const date = `[ "$(wc -l <"\${0%/*}/../slept")" -ge 3 ] || { ${broken}; exit; }; echo 2000`;
    expect(machine(at(1999), { date }).lines).toEqual(["sleep 5", "sleep 5", "sleep 5", "shutdown -P now"]);
  });

  test("powers off where there is no shutdown, and where the shutdown hangs", () => {
    expect(machine(at(999), { shutdown: "exit 127" }).lines).toEqual(["poweroff"]);
    const hanging = machine(at(999), { shutdown: "exit 0" });
    expect(hanging.lines).toEqual(["sleep 120", "poweroff -f -f"]);
  });
});
