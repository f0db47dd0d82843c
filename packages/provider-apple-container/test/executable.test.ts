import { type ChildProcess, spawn } from "node:child_process";
import { commandRunner } from "@slipway/provider-kit/command";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ContainerEmulator } from "../emulator/index.ts";
import { type AppleContainerProvider, appleContainer, register } from "../src/index.ts";
import { type EmulatedProgram, emulatedProgram, PROGRAM } from "./emulated-program.ts";
import { failure } from "./failure.ts";

// Real processes, as a terminal starts them: the provider finds the program by SLIPWAY_CONTAINER.
let emulated: EmulatedProgram;
let mac: ContainerEmulator;
let program: string;

beforeEach(async () => {
  emulated = await emulatedProgram();
  ({ mac, path: program } = emulated);
});
afterEach(() => emulated.close());

const variables = (): Record<string, string> => ({ SLIPWAY_CONTAINER: program });
const provider = (): AppleContainerProvider => appleContainer({ owner: "t", variables: variables() });
const runner = commandRunner();
const container = (...argv: readonly string[]) => runner(program, argv, { timeoutMs: 20_000 });
const start = (...argv: readonly string[]): ChildProcess => spawn(program, argv, { stdio: "pipe", detached: true });
const exit = (child: ChildProcess): Promise<readonly [number | null, string | null]> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve([code, signal])));
const endGroup = (child: ChildProcess): void => void process.kill(-(child.pid ?? 0), "SIGKILL");

test("an instance's whole life, by the provider", async () => {
  const one = provider();
  const { id } = await one.spawn({ key: "a", bootstrap: { script: "echo from inside; exit 4" } });
  await expect
    .poll(async () => (await one.get(id))?.bootstrap, { timeout: 120_000 })
    .toEqual({ state: "failed", exitCode: 4 });
  const lines: string[] = [];
  for await (const line of one.logs(id)) lines.push(line);
  expect(lines).toContain("from inside");
  expect(await one.exec(id, ["sh", "-c", "cat; exit 9"], { stdin: "typed" })).toMatchObject({
    stdout: "typed",
    exitCode: 9,
  });
  await one.terminate(id);
  expect(await one.get(id)).toBeNull();
});

test("two processes at once make one container", async () => {
  const ids = await Promise.all(
    [provider(), provider(), provider()].map(async (one) => (await one.spawn({ key: "k" })).id),
  );
  expect(new Set(ids).size).toBe(1);
  expect(await mac.control.instances()).toHaveLength(1);
});

test("a client that is killed while it creates leaves what the next spawn completes", async () => {
  const child = start("run", "--detach", "--name", "half", "alpine", "sleep", "100");
  await expect.poll(async () => (await mac.control.instances()).length, { timeout: 10_000, interval: 5 }).toBe(1);
  endGroup(child);
  await exit(child);
  // Created, or running already: never gone, and never twice.
  const [found] = await mac.control.instances();
  expect(found?.nativeId).toBe("half");
  expect(await container("start", "half")).toMatchObject({ exitCode: 0, stdout: "half\n" });
  expect((await mac.control.instances())[0]?.status).toBe("running");
});

test("a command that hangs is ended, and what it did is looked up", async () => {
  await mac.control.addFaults({ command: "run", does: "hang" });
  const one = provider();
  const error = await failure(one.spawn({ key: "h", timeoutMs: 4_000 }));
  expect(error).toMatchObject({ code: "TIMEOUT" });
  expect((await one.spawn({ key: "h" })).status).toBe("running");
  expect(await mac.control.instances()).toHaveLength(1);
});

test("a client that dies by a signal after the effect is looked up", async () => {
  await mac.control.addFaults({ command: "run", does: "vanish" });
  expect((await provider().spawn({ key: "v" })).status).toBe("running");
  expect(await mac.control.instances()).toHaveLength(1);
});

test("logs that are followed never end by themselves", async () => {
  await container("run", "--detach", "--name", "fo", "alpine", "sh", "-c", "echo first; exec sleep 100");
  const child = start("logs", "--follow", "fo");
  let said = "";
  child.stdout?.on("data", (chunk) => (said += String(chunk)));
  await expect.poll(() => said, { timeout: 120_000 }).toBe("first\n");
  await container("stop", "fo");
  expect(child.exitCode).toBeNull();
  child.kill("SIGTERM");
  expect(await exit(child)).toEqual([null, "SIGTERM"]);
});

test("exec passes no signal on: the third ends the command, and the program goes on", async () => {
  await container("run", "--detach", "--name", "si", "alpine", "sleep", "100");
  const child = start("exec", "si", "sh", "-c", "echo up; sleep 2; echo done >$HOME/done");
  let said = "";
  let complained = "";
  child.stdout?.on("data", (chunk) => (said += String(chunk)));
  child.stderr?.on("data", (chunk) => (complained += String(chunk)));
  await expect.poll(() => said, { timeout: 120_000 }).toBe("up\n");
  const ended = exit(child);
  // Signals that come at once are one: each is sent when the one before it was taken.
  await expect
    .poll(
      () => {
        child.kill("SIGTERM");
        return child.exitCode;
      },
      { timeout: 10_000, interval: 100 },
    )
    .toBe(1);
  expect(await ended).toEqual([1, null]);
  expect(complained).toContain("Received 3 SIGINT/SIGTERM's, forcefully exiting.");
  await expect
    .poll(async () => (await container("exec", "si", "sh", "-c", "cat $HOME/done")).stdout, { timeout: 120_000 })
    .toBe("done\n");
});

test("stdin that is closed is an empty input", async () => {
  await container("run", "--detach", "--name", "st", "alpine", "sleep", "100");
  const child = spawn(program, ["exec", "--interactive", "st", "cat"], { stdio: ["ignore", "pipe", "inherit"] });
  expect(await exit(child)).toEqual([0, null]);
});

test("many at once lose nothing", async () => {
  const names = Array.from({ length: 8 }, (_, index) => `many-${index}`);
  const answers = await Promise.all(names.map((name) => container("create", "--name", name, "alpine", "true")));
  expect(answers.map(({ exitCode }) => exitCode)).toEqual(names.map(() => 0));
  expect((await mac.control.instances()).map(({ nativeId }) => nativeId).sort()).toEqual(names);
});

test("the service that is down is UNAVAILABLE with the start command", async () => {
  await mac.control.setService("unregistered");
  const { hooks } = await register({}, { owner: "t", variables: variables(), runtime: {} });
  expect(await failure(hooks.onStartup())).toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("container system start"),
  });
  expect(await failure(provider().list())).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
});

test("without its directory it says what it needs", async () => {
  const { exitCode, stderr } = await runner(process.execPath, ["--conditions=@slipway/source", PROGRAM, "list"], {
    env: { SLIPWAY_CONTAINER_EMULATOR: "" },
  });
  expect(exitCode).toBe(78);
  expect(stderr).toContain("SLIPWAY_CONTAINER_EMULATOR must name a directory");
});

test("no secret of a bootstrap stands in a process's arguments", async () => {
  const secret = "s3cret-in-the-bootstrap";
  await provider().spawn({ key: "s", bootstrap: { script: `: ${secret}; sleep 3` } });
  const { stdout } = await runner("ps", ["-axww", "-o", "args"]);
  expect(stdout).not.toContain(secret);
});
