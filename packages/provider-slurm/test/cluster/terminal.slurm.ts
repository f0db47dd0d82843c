import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = new URL("../../../cli/src/main.ts", import.meta.url).href;
const START = `await (await import(${JSON.stringify(MAIN)})).main(process.argv.slice(1))`;
const COMMAND_MS = 60_000;

let directory = "";
let emulator: ChildProcess;
let printed = "";
let env: Record<string, string | undefined> = {};
const slurmConf = (): string => /^export SLURM_CONF=(\S+)$/m.exec(printed)?.[1] ?? "";

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line as it stands in the README, in a shell that has the command `slipway`. `shows` gets what it prints meanwhile. */
async function shell(
  line: string,
  more: Readonly<Record<string, string>> = {},
  shows: (text: string) => void = () => undefined,
): Promise<Run> {
  return await new Promise((resolve) => {
    const options = { cwd: directory, env: { ...env, ...more }, timeout: COMMAND_MS };
    const child = execFile("/bin/sh", ["-c", line], options, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
    child.stdout?.on("data", (text: Buffer | string) => shows(String(text)));
  });
}

/** The README's lines from a terminal, block by block. */
async function session(): Promise<readonly (readonly string[])[]> {
  const readme = await readFile(join(PACKAGE, "README.md"), "utf8");
  const chapter = readme.slice(readme.indexOf("## From a terminal"), readme.indexOf("## A cluster for tests"));
  return [...chapter.matchAll(/```sh\n(.*?)```/gs)].map(([, block = ""]) => block.trim().split("\n"));
}

async function interrupted(): Promise<void> {
  if (emulator.exitCode !== null) return;
  const ended = once(emulator, "exit");
  emulator.kill("SIGINT");
  await ended;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-terminal-"));
  // A project that depends on the provider, as after `npm install`.
  await writeFile(
    join(directory, "package.json"),
    JSON.stringify({ type: "module", dependencies: { "@slipway/provider-slurm": "*" } }),
  );
  await mkdir(join(directory, "node_modules", "@slipway"), { recursive: true });
  await symlink(PACKAGE, join(directory, "node_modules", "@slipway", "provider-slurm"));
  await mkdir(join(directory, "bin"));
  const node = `exec '${process.execPath}' --conditions=@slipway/source --input-type=module`;
  await writeFile(join(directory, "bin", "slipway"), `#!/bin/sh\n${node} -e '${START}' -- "$@"\n`, { mode: 0o755 });
  const { NODE_OPTIONS: _vitest, SLURM_CONF: _other, ...own } = process.env;
  env = { ...own, PATH: `${join(directory, "bin")}:${process.env["PATH"]}`, XDG_STATE_HOME: join(directory, "state") };

  const [[line = ""] = []] = await session();
  emulator = spawn("/bin/sh", ["-c", `exec ${line}`], { cwd: directory, env, stdio: ["ignore", "pipe", "inherit"] });
  emulator.stdout?.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await vi.waitUntil(() => slurmConf() !== "", { timeout: COMMAND_MS });
  env["SLURM_CONF"] = slurmConf();
}, 90_000);

afterAll(async () => {
  await interrupted();
  await rm(directory, { recursive: true, force: true });
}, 90_000);

test("the README's session", { timeout: 240_000 }, async () => {
  const [, lines = [], last = []] = await session();
  const follow = lines.at(-1) ?? "";
  const outputs: Run[] = [];
  for (const line of lines.slice(0, -1)) {
    const run = await shell(line);
    expect(run, line).toMatchObject({ exitCode: 0 });
    outputs.push(run);
  }
  const [, spawned, exec, list] = outputs;
  expect(spawned?.stdout).toMatch(/running/);
  expect(exec?.stdout).toMatch(/^\d+\n$/);
  expect(list?.stdout).toMatch(/first .*main/s);
  let seen = "";
  const following = shell(follow, {}, (text) => {
    seen += text;
  });
  const asAdministrator = `squeue -h -a -o '%C %P %T'`;
  expect((await shell(asAdministrator)).stdout).toBe("2 main RUNNING\n");
  // A job's log goes with the job, so its reader has to have seen it before the job ends.
  await expect.poll(() => seen, { timeout: COMMAND_MS }).toContain("step 3 of 3");
  for (const line of last) expect(await shell(line), line).toMatchObject({ exitCode: 0 });
  const { stdout, stderr } = await following;
  expect(stdout.match(/step \d of 3/g), stderr).toEqual(["step 1 of 3", "step 2 of 3", "step 3 of 3"]);
  await expect.poll(async () => (await shell(asAdministrator)).stdout, { timeout: 20_000 }).toBe("");
});

describe("what a new user meets is one line, and says what to do", () => {
  const broken = async (name: string, changed: (text: string) => string): Promise<string> => {
    const file = join(dirname(slurmConf()), name);
    await writeFile(file, changed(await readFile(slurmConf(), "utf8")));
    return file;
  };
  const SPAWN = "slipway spawn --provider slurm --key new";

  test.each([
    [
      "no such partition",
      `${SPAWN} --spec nope`,
      (text: string) => text,
      /INVALID_SPEC .* no such partition\n/,
      /sinfo -s/,
    ],
    [
      "no munge",
      SPAWN,
      (text: string) => text.replace(/^AuthInfo=.*$/m, "AuthInfo=socket=/nonexistent/munge.socket"),
      /AUTH_ERROR .* munge does not run here/,
      /Start munge on this machine/,
    ],
    [
      "no controller",
      SPAWN,
      (text: string) => text.replace(/^SlurmctldPort=.*$/m, "SlurmctldPort=1"),
      /UNAVAILABLE .* slurmctld does not answer/,
      /scontrol ping/,
    ],
  ])("%s", { timeout: 90_000 }, async (name, line, changed, message, hint) => {
    const file = await broken(`${name.replaceAll(" ", "-")}.conf`, changed);
    const run = await shell(line, { SLURM_CONF: file });
    const errors = run.stderr.split("\n").filter((one) => one.startsWith("slipway: error "));
    expect(run.exitCode).toBe(1);
    expect(errors).toHaveLength(1);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toMatch(hint);
    expect(run.stderr).toContain("nothing was changed");
  });

  test("no Slurm: emulate says what to install", async () => {
    const run = await shell("slipway emulate slurm", { PATH: join(directory, "bin") });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/^slipway: error UNSUPPORTED .* not installed: .*sbatch/);
    expect(run.stderr).toMatch(
      /hint +With root rights; where Slurm is missing: apt-get install .*slurmctld slurmd slurm-client munge/,
    );
  });
});

test("Ctrl-C ends the cluster and all that it holds", { timeout: 120_000 }, async () => {
  await interrupted();
  expect(emulator.exitCode).toBe(130);
  expect(existsSync(slurmConf())).toBe(false);
});
