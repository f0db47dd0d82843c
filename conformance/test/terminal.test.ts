import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";

// This folder's package.json depends on every provider: here the command finds them as a user's project would have them.
const project = fileURLToPath(new URL("..", import.meta.url));
const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4 me@laptop\n";

interface Shell {
  readonly run: (script: string, variables?: Readonly<Record<string, string>>) => Promise<string>;
  readonly start: (script: string) => ChildProcess;
}

/** A shell in this folder, with a home and a state of its own. */
async function shell(): Promise<Shell> {
  const home = await mkdtemp(join(tmpdir(), "slipway-terminal-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  await mkdir(join(home, ".ssh"));
  await writeFile(join(home, ".ssh", "id_ed25519.pub"), PUBLIC_KEY);
  const path = [join(project, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
  const env = { PATH: path, HOME: home, XDG_STATE_HOME: join(home, "state") };
  return {
    run: async (script, variables = {}) => {
      const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], {
        cwd: project,
        env: { ...env, ...variables },
      });
      return stdout;
    },
    start: (script) =>
      spawn("bash", ["-c", `exec ${script}`], { cwd: project, env, stdio: ["ignore", "pipe", "inherit"] }),
  };
}

/** The two blocks under "From a terminal": what serves the emulator, and what is done with it. */
async function blocksOf(provider: string): Promise<readonly [string, string]> {
  const readme = await readFile(join(project, "..", "packages", `provider-${provider}`, "README.md"), "utf8");
  const section = /## From a terminal\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? "";
  const [serve, use] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block?.trim() ?? "");
  if (serve === undefined || use === undefined) throw new Error(`the README of ${provider} has no two blocks`);
  return [serve, use];
}

async function variablesOf(server: ChildProcess, count: number): Promise<Readonly<Record<string, string>>> {
  let printed = "";
  for await (const chunk of server.stdout ?? []) {
    printed += String(chunk);
    const found = [...printed.matchAll(/^export (\w+)=(\S+)\n/gm)].map(([, name = "", value = ""]) => [name, value]);
    if (found.length === count) return Object.fromEntries(found);
  }
  throw new Error(`the emulator ended: ${printed}`);
}

describe("the READMEs' commands, in a shell, against the emulator's server", () => {
  test.each([
    { provider: "lambda", spec: "gpu_1x_a10", sold: /^gpu_1x_a10 .*1x a10.* 0\.75 .*us-west-1.*live/im },
    { provider: "runpod", spec: "NVIDIA GeForce RTX 4090", sold: /^NVIDIA GeForce RTX 4090 .* 0\.69 .*EU-RO-1.*live/m },
  ])("$provider", { timeout: 300_000 }, async ({ provider, spec, sold }) => {
    const { run, start } = await shell();
    const [serve, use] = await blocksOf(provider);
    const server = start(serve);
    onTestFinished(() => void server.kill("SIGKILL"));
    const variables = await variablesOf(server, 2);

    const printed = await run(use, variables);
    expect(printed).toMatch(sold);
    expect(printed).toMatch(/status +running/);
    expect(printed).toContain(spec);
    const prices = JSON.parse(await run(`slipway prices --provider ${provider} --json`, variables)) as unknown[];
    expect(prices).toContainEqual(
      expect.objectContaining({ spec, price: expect.objectContaining({ source: "live", asOf: expect.any(String) }) }),
    );
    const ended = once(server, "exit");
    server.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
  });

  test.each([
    { provider: "orbstack", count: 1, shown: [/status +running/, /^Linux$/m] },
    { provider: "aws", count: 5, shown: [/status +running/, /^us-east-1\/i-\S+ +.*t3\.micro/m] },
    { provider: "gcp", count: 3, shown: [/status +running/, /^slipway-emulator\/us-central1-\S+ +.*e2-medium/m] },
  ])("$provider: nothing is left", { timeout: 300_000 }, async ({ provider, count, shown }) => {
    const { run, start } = await shell();
    const [serve, use] = await blocksOf(provider);
    const server = start(serve);
    onTestFinished(() => void server.kill("SIGKILL"));
    const variables = await variablesOf(server, count);
    const printed = await run(use, variables);
    for (const pattern of shown) expect(printed).toMatch(pattern);
    expect(JSON.parse(await run(`slipway list --provider ${provider} --json`, variables))).toEqual([]);
    const ended = once(server, "exit");
    server.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
  });

  test("apple-container", { timeout: 300_000 }, async () => {
    const { run, start } = await shell();
    const [serve, use] = await blocksOf("apple-container");
    const server = start(serve);
    onTestFinished(() => void server.kill("SIGKILL"));
    const variables = await variablesOf(server, 1);
    const printed = await run(use, variables);
    expect(printed).toMatch(/status +running/);
    expect(printed).toMatch(/^Linux$/m);
    expect(printed).toMatch(/control-plane +running +192\.168\.64\.\d+/);
    expect(printed).toMatch(/ Ready +control-plane/);
    expect(printed).toContain("demo is deleted");
    expect(JSON.parse(await run("slipway cluster list --provider apple-container --json", variables))).toEqual([]);
    const ended = once(server, "exit");
    server.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
  });
});
