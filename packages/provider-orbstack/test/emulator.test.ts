import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type OrbstackEmulator, orbstackEmulator } from "../emulator/index.ts";
import { withoutBubblewrap } from "./needs-bubblewrap.ts";

let emulator: OrbstackEmulator;
beforeEach(() => {
  emulator = orbstackEmulator();
});
afterEach(() => emulator.close());

const silent = { stdout: "", stderr: "", code: 0 };
const run = (...argv: string[]) => emulator.orbctl(argv);
const said = async (...argv: string[]) => {
  const { stderr, stdout, code } = await run(...argv);
  expect(stdout).toBe("");
  return `${code} ${stderr.trimEnd()}`;
};
const info = async (selector: string) => {
  const { stdout } = await run("info", selector, "--format", "json");
  return JSON.parse(stdout) as {
    record: { id: string; name: string; state: string; image: object; config: Record<string, unknown> };
    disk_size: number;
    ip4?: string;
    ip6?: string;
  };
};

describe("the life of a machine", () => {
  test("creating, provisioning, running, stopped, running again, gone", async () => {
    const states: (string | undefined)[] = [];
    const creating = run("create", "ubuntu:24.04", "web");
    await setImmediate();
    const look = async () => {
      const { stdout } = await run("list", "-f", "json");
      states.push((JSON.parse(stdout) as { state: string }[])[0]?.state);
    };
    await look();
    await emulator.clock.sleep(10_000);
    await look();
    expect(await creating).toEqual(silent);
    await look();
    expect(states).toEqual(["creating", "provisioning", "running"]);

    const first = await info("web");
    expect(first.record.image).toEqual({ distro: "ubuntu", version: "noble", arch: "arm64", variant: "default" });
    expect(first.record.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(first.ip4).toMatch(/^192\.168\.139\.\d+$/);

    expect(await run("stop", "web")).toEqual(silent);
    const stopped = await info("web");
    expect(stopped.record).toMatchObject({ state: "stopped", id: first.record.id });
    expect(stopped).not.toHaveProperty("ip4");
    expect(await run("stop", "web", "-f")).toEqual(silent);
    expect(await run("start", "web")).toEqual(silent);
    expect(await run("start", "web")).toEqual(silent);
    expect((await info("web")).record.state).toBe("running");
    expect(await run("rename", first.record.id, "shop")).toEqual(silent);
    expect((await info("shop")).record.id).toBe(first.record.id);
    expect(await run("delete", "shop", "--force")).toEqual(silent);
    expect(await said("info", "shop", "--format", "json")).toBe("1 [-32098] machine not found: 'shop'");
  });

  test("a creation goes on after its client was killed", async () => {
    const killed = new AbortController();
    const creating = emulator.orbctl(["create", "debian", "web"], { signal: killed.signal });
    await setImmediate();
    killed.abort(new Error("killed"));
    await expect(creating).rejects.toThrow("killed");
    expect(await said("create", "debian", "web")).toBe("1 [-32098] create 'web': machine already exists: 'web'");
    expect(await said("delete", "web", "--force")).toBe("1 [-32098] cannot transition from creating to deleting");
    await emulator.clock.sleep(60_000);
    expect((await info("web")).record.state).toBe("running");
  });

  test("a deleted machine is listed for a moment longer", async () => {
    await run("create", "alpine", "web");
    await run("delete", "web", "--force");
    expect(JSON.parse((await run("list", "--format", "json")).stdout)).toMatchObject([{ state: "deleting" }]);
    await emulator.clock.sleep(1_000);
    expect((await run("list", "--format=json")).stdout).toBe("[]\n");
  });

  test("a copy has another id, is stopped, and has the files but for /tmp", async () => {
    await run("create", "debian", "web");
    const write = "mkdir -p /var/lib/slipway && echo kept >/var/lib/slipway/kept && echo lost >$TMPDIR/lost";
    expect((await run("run", "-m", "web", "-u", "root", "sh", "-c", write)).code).toBe(0);
    expect(await run("clone", "web", "copy")).toEqual(silent);
    const [source, copy] = [await info("web"), await info("copy")];
    expect(copy.record.state).toBe("stopped");
    expect(copy.record.id).not.toBe(source.record.id);
    expect(await said("clone", "web", "copy")).toBe("1 [-32098] clone 'web': machine already exists: 'copy'");
    const seen = await run("run", "-m", "copy", "sh", "-c", "cat /var/lib/slipway/kept; ls $TMPDIR");
    expect(seen.stdout).toBe("kept\n");
    // It was started for that.
    expect((await info("copy")).record.state).toBe("running");
  });
});

describe("the addresses", () => {
  test("run out under churn where machines are deleted without a stop, and come back with another network", async () => {
    await emulator.control.setIpPool(2);
    for (const name of ["a", "b"]) {
      expect(await run("create", "debian", name)).toEqual(silent);
      expect(await run("delete", name, "--force")).toEqual(silent);
    }
    const began = emulator.clock.now();
    const missing = "[-32098] create 'c': setup: machine didn't start in 30s (missing IP address)";
    expect(await said("create", "debian", "c")).toBe(`1 ${missing}`);
    expect(emulator.clock.now() - began).toBeGreaterThanOrEqual(30_000);
    expect(await emulator.control.machines()).toEqual([]);
    await run("config", "set", "network.subnet4", "192.168.140.0/23");
    expect(await run("create", "debian", "c")).toEqual(silent);
  });

  test("are given back by a stop", async () => {
    await emulator.control.setIpPool(1);
    for (const name of ["a", "b", "c"]) {
      expect(await run("create", "debian", name)).toEqual(silent);
      await run("stop", name);
      await run("delete", name, "--force");
    }
  });
});

describe("what it refuses", () => {
  test.each([
    [
      ["create", "ubuntu:focal", "x"],
      "1 [-32098] create 'x': make rootfs: image not found: {ubuntu focal arm64 default}",
    ],
    [["create", "--arch", "riscv", "ubuntu", "x"], "1 [fake] invalid architecture: riscv"],
    [["create", "--mount", "/a", "ubuntu", "x"], "1 [fake] --mount needs --isolated"],
    [["create", "--gpus", "1", "ubuntu"], "1 unknown flag: --gpus"],
    [["create", "ubuntu", "x", "y"], "1 create: accepts at most 2 arg(s), received 3"],
    [["list", "-z"], "1 unknown shorthand flag: 'z' in -z"],
    [["snapshot", "x"], '1 unknown command "snapshot" for "orbctl"'],
    [["start", "nosuch"], "1 [-32098] machine not found: 'nosuch'"],
    [["delete", "nosuch", "--force"], "1 [-32098] machine not found: 'nosuch'"],
    [["run", "-m", "nosuch", "true"], "1 [-32098] machine not found: 'nosuch'"],
    [["run", "-m", "nosuch", "--", "true"], "1 unknown flag: --"],
    [["delete"], "1 delete: requires at least 1 arg(s)"],
  ])("%j", async (argv, answer) => {
    expect(await said(...argv)).toBe(answer);
  });

  test("everything without HOME", async () => {
    const answer = await emulator.orbctl(["version"], { env: { HOME: "" } });
    expect(answer).toEqual({ stdout: "", stderr: "panic: $HOME is not defined\n", code: 2 });
  });

  test("a deletion by id, with a crash, and one without --force", async () => {
    await run("create", "debian", "web");
    const { record } = await info("web");
    const crashed = await run("delete", record.id, "--force");
    expect(crashed.code).toBe(2);
    expect(crashed.stderr).toContain("nil pointer dereference");
    expect(await said("delete", "web")).toBe("1 [fake] delete needs --force");
    expect((await info("web")).record.state).toBe("running");
  });

  test("everything but its own start while it is stopped; a stop without a name stops it", async () => {
    await run("create", "debian", "web");
    expect(await run("stop")).toEqual(silent);
    expect(await run("status")).toEqual({ stdout: "Stopped\n", stderr: "", code: 1 });
    expect((await run("list", "--format", "json")).code).toBe(1);
    expect(await emulator.control.engineStops()).toBe(1);
    expect(await run("start")).toEqual(silent);
    expect((await info("web")).record.state).toBe("starting");
  });
});

describe("OrbStack itself, stopped and started", () => {
  beforeEach(async () => {
    await run("create", "debian", "ran");
    await run("create", "debian", "did-not");
    await run("stop", "did-not");
    await run("stop");
  });

  test("refuses what is about one machine, until it is started", async () => {
    for (const verb of ["start", "stop"]) expect(await said(verb, "ran")).toBe("1 [fake] OrbStack is not running");
    expect((await run("status")).stdout).toBe("Stopped\n");
  });

  test("runs again what ran before, and nothing else", async () => {
    expect(await run("start")).toEqual(silent);
    await emulator.clock.sleep(10_000);
    expect((await info("ran")).record.state).toBe("running");
    expect((await info("did-not")).record.state).toBe("stopped");
  });
});

describe("odd words", () => {
  test.each([
    [["create", "debian", "--isolated=yes", "n"], 'invalid argument "yes" for "--isolated" flag'],
    [["create", "debian", "n", "--cpus="], 'invalid argument "" for "--cpus" flag'],
    [["clone", "m", ""], "[fake] the name is empty"],
    [["clone", "m", "docker"], "[fake] docker is reserved"],
    [["rename", "m", "a b"], "[fake] invalid machine name: a b"],
    [["config", "set", "nope", "1"], "[fake] unknown config key: nope"],
    [["config", "set", "machine.m.cpu", "abc"], "[fake] invalid value: abc"],
  ])("%j are refused", async (argv, words) => {
    await run("create", "debian", "m");
    expect(await said(...argv)).toBe(`1 ${words}`);
  });

  test("a switch can be switched off", async () => {
    await run("create", "debian", "m", "--isolated=false");
    expect((await info("m")).record.config["isolated"]).toBe(false);
  });
});

describe("programs inside", () => {
  test("get their input byte for byte", async () => {
    await run("create", "debian", "m");
    const stdin = Uint8Array.of(0xff, 0x00, 0xfe, 0x80);
    const { stdout } = await emulator.orbctl(["run", "-m", "m", "-u", "root", "sh", "-c", "od -An -tx1"], { stdin });
    expect(stdout.trim()).toBe("ff 00 fe 80");
  });

  test.skipIf(withoutBubblewrap !== null)("make links that lead nobody out of the machine", async () => {
    await run("create", "debian", "m");
    const link =
      "mkdir -p /root/d; echo inside >/root/d/f; ln -s /root/d /root/to-d; ln -s /proc/version /root/out; ln -s loop /root/loop";
    await run("run", "-m", "m", "-u", "root", "sh", "-c", link);
    const folder = mkdtempSync(join(tmpdir(), "slipway-pulled-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    expect(await run("pull", "-m", "m", "/root/to-d/f", join(folder, "f"))).toEqual(silent);
    expect(readFileSync(join(folder, "f"), "utf8")).toBe("inside\n");
    for (const name of ["out", "loop"]) {
      expect(await said("pull", "-m", "m", `/root/${name}`, join(folder, name))).toContain("No such file or directory");
    }
  });

  test("run for real: arguments, input, output, exit codes", async () => {
    await run("create", "debian", "web");
    const answer = await emulator.orbctl(["run", "-m", "web", "-u", "root", "sh", "-c", "cat; echo no >&2; exit 7"], {
      stdin: "in\nput",
    });
    expect(answer).toEqual({ stdout: "in\nput", stderr: "no\n", code: 7 });
  });

  test("in the background end with their session; what has one of its own goes on", async () => {
    await run("create", "debian", "web");
    const inside = (script: string) => run("run", "-m", "web", "-u", "root", "sh", "-c", script);
    const later = (name: string) => `sh -c 'sleep 0.3; mkdir -p /var/lib/slipway; echo x >/var/lib/slipway/${name}'`;
    await inside(`${later("lost")} >/dev/null 2>&1 &`);
    await inside(`nohup ${later("lost-too")} >/dev/null 2>&1 &`);
    await inside(`setsid ${later("kept")} </dev/null >/dev/null 2>&1 & sleep 0.1`);
    await expect.poll(async () => (await inside("ls /var/lib/slipway 2>/dev/null; true")).stdout).toBe("kept\n");
  });

  test("files go in and out, also of a stopped machine, which is not started", async () => {
    await run("create", "debian", "web");
    await run("run", "-m", "web", "sh", "-c", "mkdir -p /var/lib/slipway; echo hello >/var/lib/slipway/a");
    await run("stop", "web");
    const target = `/tmp/orb-pulled-${process.pid}`;
    expect(await run("pull", "-m", "web", "/var/lib/slipway/a", target)).toEqual(silent);
    expect(await run("push", "-m", "web", target, "/var/lib/slipway/b")).toEqual(silent);
    expect((await info("web")).record.state).toBe("stopped");
    expect((await run("run", "-m", "web", "cat", "/var/lib/slipway/b")).stdout).toBe("hello\n");
  });
});

describe("the forms of the answers", () => {
  test("settings for what differs, or is not known", async () => {
    await run("create", "--isolated", "--cpus", "2", "--memory", "2048M", "--disk", "64G", "debian:12", "web");
    const full = await info("web");
    expect(full.record.config).toEqual({
      isolated: true,
      forward_ssh_agent: false,
      isolate_network: false,
      default_username: "me",
      http_port: 0,
      https_port: 0,
    });
    expect((await run("config", "get", "machine.web.cpu")).stdout).toBe("2\n");
    expect((await run("config", "get", "machine.web.memory_mib")).stdout).toBe("2048\n");
    expect((await run("config", "get", "machine.web.disk_bytes")).stdout).toBe(`${64 * 1024 ** 3}\n`);
    await emulator.control.setEngineSettings({ oldSchema: true, limitsInRecord: true, extraFields: true });
    expect((await info("web")).record.config).toEqual({
      isolated: true,
      default_username: "me",
      cpu_limit: 2,
      memory_limit_mib: 2048,
      disk_limit_bytes: 64 * 1024 ** 3,
    });
    await emulator.control.setEngineSettings({ banner: "stdout", listReturnsNull: true });
    expect((await run("list", "-f", "json")).stdout).toMatch(/OrbStack update available![\s\S]*\nnull\n$/);
  });

  test("the table, and the built-in machines that are in no list", async () => {
    await run("create", "ubuntu:jammy", "b1-lab");
    const table = (await run("list")).stdout.split("\n");
    expect(table[0]).toBe("NAME    STATE    DISTRO  VERSION  ARCH   SIZE    IP");
    expect(table[2]).toBe("b1-lab  running  ubuntu  jammy    arm64  1.2 GB  192.168.139.2");
    expect((await run("list", "-q")).stdout).toBe("b1-lab\n");
    expect((await info("docker")).record).toMatchObject({ builtin: true, id: "01GQQVF6C60000000000DOCKER" });
  });
});
