import { execFile, spawn as start } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { checksumOf } from "@slipway/core";
import { parseSentinel, payloadChecksum } from "@slipway/provider-kit/bootstrap";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MAX_REQUEST_BYTES } from "../src/request.ts";
import { START_COMMAND } from "../src/start-command.ts";
import { GPU } from "./runpod-harness.ts";
import { createsOf, rejection, testWorld } from "./world.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-runpod-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Sent {
  readonly args: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs what a create sends as a container would: the command split by a shell, with the pod's environment. */
async function boot(
  { args, env }: Sent,
  until: (commandLine: string) => boolean,
): Promise<{ readonly commandLine: string }> {
  // `exec` makes the shell that splits the command become the command.
  const container = start("/bin/sh", ["-c", `exec ${args}`], {
    env: { PATH: process.env["PATH"] ?? "", ...env, SLIPWAY_BOOTSTRAP_DIR: folder },
    detached: true,
    stdio: "ignore",
  });
  const ended = once(container, "exit");
  try {
    for (let tries = 0; tries < 500; tries += 1) {
      const { stdout } = await promisify(execFile)("ps", ["-ww", "-o", "args=", "-g", String(container.pid)]);
      if (!until(stdout)) continue;
      // The bootstrap is done, and the container is still there.
      expect(container.exitCode).toBeNull();
      return { commandLine: stdout };
    }
    throw new Error("what was waited for did not come");
  } finally {
    // As a container is stopped: its first process is asked, and when that has ended nothing is left.
    container.kill("SIGTERM");
    await ended;
    endGroup(container.pid);
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

const sentinelOf = async () => parseSentinel(await readFile(join(folder, "sentinel"), "utf8").catch(() => null));
// The last that the command does is to sleep.
const isDone = (commandLine: string): boolean => /^sleep 3600$/m.test(commandLine);

async function sentFor(script: string, secret = "t0p-5ecret-value"): Promise<Sent & { readonly checksum: string }> {
  const { provider, emulator } = testWorld();
  const config = {
    script,
    environment: { PASSWORD: secret },
    files: [{ path: join(folder, "it's here"), content: "ü" }],
  };
  const rendered = provider.generateBootstrap(config);
  await provider.spawn({ key: "boot", spec: GPU, bootstrap: rendered });
  const [body] = createsOf(emulator);
  // The emulator has checked both against the schema.
  return { ...(body as unknown as Sent), checksum: payloadChecksum(rendered) ?? "" };
}

test("the decoder runs the very script, with its files and variables, and stays", async () => {
  const sent = await sentFor(`printf %s "$PASSWORD" >"$SLIPWAY_BOOTSTRAP_DIR/told"\nexit 0`);
  const { commandLine } = await boot(sent, isDone);
  expect(await readFile(join(folder, "told"), "utf8")).toBe("t0p-5ecret-value");
  expect(await readFile(join(folder, "it's here"), "utf8")).toBe("ü");
  expect(await sentinelOf()).toMatchObject({ state: "succeeded", exitCode: 0, checksum: sent.checksum });
  expect((await stat(join(folder, "bootstrap.sh"))).mode & 0o777).toBe(0o700);
  expect(commandLine).toContain("while :");
  expect(commandLine).not.toContain("t0p-5ecret-value");
  expect(commandLine).not.toContain(sent.env["SLIPWAY_BOOTSTRAP"]?.slice(0, 40));
});

test("a script that fails leaves its exit code, and the container stays", async () => {
  await boot(await sentFor("exit 7"), isDone);
  expect(await sentinelOf()).toMatchObject({ state: "failed", exitCode: 7 });
});

test("a stop is heard while the script still runs", async () => {
  const sent = await sentFor(`sleep 1000`);
  // It comes back only when the command has ended.
  await boot(sent, (commandLine) => /^sleep 1000$/m.test(commandLine));
  expect(await sentinelOf()).toMatchObject({ state: "running" });
});

test("the script does not see itself in its environment", async () => {
  await boot(await sentFor(`env >"$SLIPWAY_BOOTSTRAP_DIR/env"`), isDone);
  const seen = await readFile(join(folder, "env"), "utf8");
  expect(seen).toContain("SLIPWAY_KEY=");
  expect(seen).not.toMatch(/^SLIPWAY_BOOTSTRAP(_GZ)?=/m);
});

test("a large script goes zipped, and comes out the same", async () => {
  const padding = `: ${"0123456789".repeat(12_000)}`;
  const sent = await sentFor(`${padding}\nexit 0`);
  expect(Object.keys(sent.env)).toContain("SLIPWAY_BOOTSTRAP_GZ");
  expect(Object.keys(sent.env)).not.toContain("SLIPWAY_BOOTSTRAP");
  await boot(sent, isDone);
  expect(await sentinelOf()).toMatchObject({ state: "succeeded", checksum: sent.checksum });
  expect(checksumOf(await readFile(join(folder, "bootstrap.sh"), "utf8"))).toBe(sent.checksum);
});

test("what was cut off on its way does not run", async () => {
  const sent = await sentFor(`touch "$SLIPWAY_BOOTSTRAP_DIR/ran"`);
  const cut = (sent.env["SLIPWAY_BOOTSTRAP"] ?? "").slice(0, -400);
  await boot({ ...sent, env: { ...sent.env, SLIPWAY_BOOTSTRAP: cut } }, isDone);
  expect(existsSync(join(folder, "ran"))).toBe(false);
});

test("the command is fixed: nothing of a user stands in it, and it quotes nothing", async () => {
  const { args } = await sentFor("echo hello");
  expect(args).toBe(START_COMMAND);
  expect(args.slice("sh -c '".length, -1)).not.toMatch(/['\\\n]/);
});

test("no bootstrap, no command: the image's own runs", async () => {
  const { provider, emulator } = testWorld();
  await provider.spawn({ key: "plain", spec: GPU });
  expect(createsOf(emulator)[0]).not.toHaveProperty("args");
});

test("a request that is too large is refused before any call, and names what is", async () => {
  const { provider, emulator } = testWorld();
  const noise = randomBytes(60_000).toString("base64");
  const error = await rejection(provider.spawn({ key: "large", spec: GPU, bootstrap: { script: `: ${noise}` } }));
  expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(error.message).toContain("bootstrap");

  const nearly = `: ${randomBytes(45_000).toString("base64")}`;
  const labels = { long: "x".repeat(30_000) };
  const whole = await rejection(provider.spawn({ key: "sum", spec: GPU, bootstrap: { script: nearly }, labels }));
  expect(whole).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(whole.message).toContain(String(MAX_REQUEST_BYTES));
  expect(emulator.requests).toHaveLength(0);
});

test("a script for cloud-init is refused", async () => {
  const { provider, emulator } = testWorld();
  const content = "#cloud-config\n{}\n";
  const script = { content, format: "cloud-init", checksum: checksumOf(content), byteLength: content.length } as const;
  const error = await rejection(provider.spawn({ key: "ci", spec: GPU, bootstrap: script }));
  expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(error.message).toContain("format");
  expect(emulator.requests).toHaveLength(0);
});
