import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeProgram } from "@slipway/provider-kit/emulator";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { initialState, type OrbstackEmulator, orbstackEmulator } from "../emulator/index.ts";
import { orbstack } from "../src/index.ts";
import { withoutBubblewrap } from "./needs-bubblewrap.ts";

const spawnOnce = fileURLToPath(new URL("./programs/spawn-once.ts", import.meta.url));
const SPEED = "200";
const BASE = { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };
const PATIENCE_MS = 20_000;

let home: string;
let program: string;
let world: OrbstackEmulator;
const children: ChildProcess[] = [];

beforeAll(() => {
  program = join(mkdtempSync(join(tmpdir(), "slipway-orbctl-")), "orbctl");
  const beside = new URL("../emulator/index.ts", import.meta.url).href;
  writeProgram(program, { beside, module: "executable", variables: {} });
});
afterAll(() => rmSync(join(program, ".."), { recursive: true, force: true }));
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "slipway-orb-home-"));
  begin(SPEED);
  // A second hand on the same state.
  world = orbstackEmulator({ directory: join(home, ".slipway-orbctl-emulator") });
});

/** The state of a Mac on which nothing was made yet. */
function begin(speed: string): void {
  const directory = join(home, ".slipway-orbctl-emulator");
  mkdirSync(directory, { recursive: true });
  const state = initialState({ origin: Date.now(), speed: Number(speed) });
  writeFileSync(join(directory, "state.json"), JSON.stringify(state));
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await world.close();
  rmSync(home, { recursive: true, force: true });
});

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

function start(
  argv: readonly string[],
  env: Record<string, string | undefined> = {},
  input: string | null = null,
): Started {
  const child = spawn(program, argv, {
    env: { ...BASE, HOME: home, SPEED, ...env },
    stdio: [input === null ? "ignore" : "pipe", "pipe", "pipe"],
  });
  children.push(child);
  const text = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (text.stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (text.stderr += chunk.toString()));
  child.stdin?.on("error", () => undefined);
  if (input !== null) child.stdin?.end(input);
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => resolve({ ...text, code, signal }));
  });
  return { child, ended };
}

const run = (argv: readonly string[], env?: Record<string, string | undefined>, input?: string): Promise<Ended> =>
  start(argv, env, input ?? null).ended;

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(what, { timeout: PATIENCE_MS, interval: 200 }).toBe(true);
}

/** The state as it lies on the disk, without moving its time on. */
function machines(): readonly { readonly name: string; readonly state: string }[] {
  const path = join(home, ".slipway-orbctl-emulator/state.json");
  if (!existsSync(path)) return [];
  return (JSON.parse(readFileSync(path, "utf8")) as { machines: { name: string; state: string }[] }).machines;
}

/** The tags that lie in the machines. */
function taggedFiles(): readonly string[] {
  const directory = join(home, ".slipway-orbctl-emulator/machines");
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((id) => existsSync(join(directory, id, "root/var/lib/slipway/tag.json")));
}

const listed = async (): Promise<readonly { name: string; state: string }[]> =>
  JSON.parse((await run(["list", "--format", "json"])).stdout) as { name: string; state: string }[];

describe("orbctl as a program", () => {
  test("tells its version, and makes, shows, runs in, stops and deletes a machine over many processes", async () => {
    expect((await run(["version"])).stdout).toMatch(/^Version: 2\.2\.3 \(2020300\)\nCommit: /);
    const silent = { stdout: "", stderr: "", code: 0, signal: null };
    expect(await run(["create", "debian", "web"])).toEqual(silent);
    expect(await listed()).toMatchObject([{ name: "web", state: "running" }]);
    const inside = await run(["run", "-m", "web", "sh", "-c", "cat; echo no >&2; exit 7"], {}, "through\nstdin");
    expect(inside).toEqual({ stdout: "through\nstdin", stderr: "no\n", code: 7, signal: null });
    expect(await run(["stop", "web"])).toEqual(silent);
    expect(await run(["delete", "--force", "web"])).toEqual(silent);
  });

  test("HOME missing", async () => {
    const { code, stderr } = await run(["list"], { HOME: undefined });
    expect([code, stderr]).toEqual([2, "panic: $HOME is not defined\n"]);
  });

  test("its input closed", async () => {
    await run(["create", "debian", "web"]);
    expect(await run(["run", "-m", "web", "cat"])).toMatchObject({ stdout: "", code: 0 });
  });

  test("a creation goes on after its client was killed with SIGKILL", async () => {
    begin("10");
    const { child, ended } = start(["create", "debian", "web"]);
    await until(() => machines().length === 1);
    const [pid] = childrenOf(child.pid ?? 0);
    process.kill(pid ?? child.pid ?? 0, "SIGKILL");
    expect((await ended).code).not.toBe(0);
    const again = await run(["create", "debian", "web"]);
    expect(again.stderr).toBe("[-32098] create 'web': machine already exists: 'web'\n");
    await until(async () => (await listed())[0]?.state === "running");
  });

  test("a deletion while it is created is refused", async () => {
    begin("5");
    start(["create", "debian", "web"]);
    await until(() => machines().length === 1);
    const refused = await run(["delete", "--force", "web"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^\[-32098\] cannot transition from (?:creating|provisioning) to deleting\n$/);
  });

  test("time passes as the first process said", async () => {
    rmSync(join(home, ".slipway-orbctl-emulator/state.json"));
    await run(["version"], { SPEED: "300" });
    const began = performance.now();
    await run(["create", "debian", "web"], { SPEED: "1" });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await run(["version"], { SPEED: "fast" })).toMatchObject({ code: 78 });
  });

  test("one that hangs is ended with SIGKILL, and what it did stays", async () => {
    await world.control.addFaults({ command: "create", does: "hang" });
    const { child, ended } = start(["create", "debian", "web"]);
    await until(async () => (await listed()).some(({ state }) => state === "running"));
    expect(child.exitCode).toBeNull();
    const [pid] = childrenOf(child.pid ?? 0);
    process.kill(pid ?? child.pid ?? 0, "SIGKILL");
    expect((await ended).code).not.toBe(0);
    expect(machines()).toMatchObject([{ name: "web" }]);
  });

  test("one that dies by a signal after its work", async () => {
    await world.control.addFaults({ command: "create", does: "vanish" });
    expect(await run(["create", "debian", "web"])).toMatchObject({ signal: "SIGKILL" });
    expect(await listed()).toHaveLength(1);
  });

  test("eight at once make eight machines, and eight of one name make one", async () => {
    const names = Array.from({ length: 8 }, (_, at) => `m${at}`);
    const made = await Promise.all(names.map((name) => run(["create", "debian", name])));
    expect(made.map(({ code }) => code)).toEqual(names.map(() => 0));
    const same = await Promise.all(names.map(() => run(["create", "debian", "one"])));
    expect(same.filter(({ code }) => code === 0)).toHaveLength(1);
    expect(same.filter(({ stderr }) => stderr.includes("already exists"))).toHaveLength(7);
    const all = await listed();
    expect(all).toHaveLength(9);
    expect(new Set(all.map((machine) => JSON.stringify(machine))).size).toBe(9);
  });

  test("an unknown flag, an unknown command, and help", async () => {
    expect(await run(["create", "--gpu", "debian"])).toMatchObject({ code: 1, stderr: "unknown flag: --gpu\n" });
    expect(await run(["snapshot"])).toMatchObject({ code: 1, stderr: 'unknown command "snapshot" for "orbctl"\n' });
    expect(await run(["create", "--help"])).toMatchObject({ code: 0, stderr: "" });
  });

  test("a stop without a name stops everything", async () => {
    await run(["create", "debian", "web"]);
    expect(await run(["stop"])).toMatchObject({ code: 0 });
    expect(await run(["status"])).toMatchObject({ stdout: "Stopped\n", code: 1 });
    expect((await run(["list", "--format", "json"])).code).toBe(1);
    expect(await world.control.engineStops()).toBe(1);
  });

  test("a program that prints more than can be kept ends it with an error", async () => {
    await run(["create", "debian", "web"]);
    const { code, stderr } = await run(["run", "-m", "web", "sh", "-c", "head -c 20000000 /dev/zero"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("[fake]");
  });

  test("a state that is no state is not overwritten", async () => {
    const path = join(home, ".slipway-orbctl-emulator/state.json");
    writeFileSync(path, "{ half");
    const { code, stderr } = await run(["list"]);
    expect(code).toBe(70);
    expect(stderr).toContain("holds no state of this emulator");
    expect(readFileSync(path, "utf8")).toBe("{ half");
    rmSync(path);
  });
});

describe("the provider over the program", () => {
  const provider = () => orbstack({ owner: "t", variables: { HOME: home, SPEED, SLIPWAY_ORBCTL: program } });

  test.skipIf(withoutBubblewrap !== null)("launches with a bootstrap that outlives its call, and ends it", async () => {
    const one = provider();
    const script = "sleep 1; echo up >/var/lib/slipway/up";
    // Words that stand in our own arguments too.
    const environment = { ROLE: "root", WORD: "inside", DO: "exec", PLACE: "slipway", MODE: "mkdir" };
    const { id, status } = await one.spawn({ key: "a", bootstrap: { script, environment } });
    expect(status).toBe("running");
    await until(async () => (await one.get(id))?.bootstrap?.state === "succeeded");
    expect(await one.exec(id, ["cat", "/var/lib/slipway/up"])).toEqual({ exitCode: 0, stdout: "up\n", stderr: "" });
    await one.terminate(id);
    expect(await one.get(id)).toBeNull();
    // Nothing of the machines is left.
    expect(readdirSync(join(home, ".slipway-orbctl-emulator/machines"))).toEqual([]);
  });

  test("two providers that share nothing but the Mac make one instance of a key", async () => {
    const both = await Promise.all([provider().spawn({ key: "a" }), provider().spawn({ key: "a" })]);
    expect(both[0].id).toBe(both[1].id);
    expect(await listed()).toHaveLength(1);
  });

  test.skipIf(withoutBubblewrap !== null).each(["creating", "running", "tagged"])(
    "its process killed with SIGKILL once the machine is %s",
    async (moment) => {
      begin(moment === "creating" ? "10" : SPEED);
      const env = { ...BASE, HOME: home, SLIPWAY_ORBCTL: program };
      const child = spawn(process.execPath, ["--conditions=@slipway/source", spawnOnce], { env, stdio: "ignore" });
      children.push(child);
      const reached: Record<string, () => boolean> = {
        creating: () => machines().length === 1,
        running: () => machines()[0]?.state === "running",
        tagged: () => taggedFiles().length === 1,
      };
      await expect.poll(() => reached[moment]?.(), { timeout: PATIENCE_MS, interval: 5 }).toBe(true);
      child.kill("SIGKILL");
      const bootstrap = { script: "echo ran >>/var/lib/slipway/runs" };
      const { id } = await provider().spawn({ key: "a", bootstrap });
      await until(async () => (await provider().get(id))?.bootstrap?.state === "succeeded");
      expect((await provider().exec(id, ["cat", "/var/lib/slipway/runs"])).stdout).toBe("ran\n");
      expect(machines()).toHaveLength(1);
      expect(await provider().list()).toMatchObject([{ id, key: "a", owner: "t" }]);
    },
  );

  test("a program that is not there", async () => {
    const nowhere = orbstack({ owner: "t", variables: { HOME: home, SLIPWAY_ORBCTL: "/nowhere/orbctl" } });
    await expect(nowhere.list()).rejects.toMatchObject({ code: "UNAVAILABLE", effect: "none" });
  });
});

/** The wrapper's own: it is a shell that becomes the program, so mostly there is none. */
function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
