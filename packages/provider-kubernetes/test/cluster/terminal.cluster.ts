import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { adminOf, kubeconfigOf, MACHINE_IMAGE } from "slipway-kubernetes-cluster";
import { describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { newFolder } from "../world.ts";
import { newNamespace } from "./namespaces.ts";
import { SMALL_PODS } from "./small-pods.ts";

const PACKAGE = path.join(import.meta.dirname, "..", "..");
const MAIN = path.join(PACKAGE, "..", "cli", "src", "main.ts");
const START = `(await import(${JSON.stringify(MAIN)})).main(process.argv.slice(1))`;

interface Said {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Terminal {
  readonly run: (line: string) => Promise<Said>;
  readonly start: (line: string) => { readonly child: ChildProcess; readonly ended: Promise<Said> };
}

/** A folder as a person has it, with the command's source as `slipway`; the config of the provider is what `given` says. */
async function terminal(kubeconfig: string, given: object = {}): Promise<Terminal> {
  const folder = await newFolder();
  await writeFile(path.join(folder, "config"), kubeconfig, { mode: 0o600 });
  const kubernetes = { package: path.join(PACKAGE, "src", "index.ts"), config: { pod: SMALL_PODS.pod, ...given } };
  const config = { owner: "somebody", providers: { kubernetes } };
  await writeFile(path.join(folder, "slipway.config.json"), JSON.stringify(config));
  const { NODE_OPTIONS: _vitest, ...variables } = process.env;
  const env = { ...variables, KUBECONFIG: path.join(folder, "config"), XDG_STATE_HOME: folder, HOME: folder };
  const start: Terminal["start"] = (line) => {
    const [program, ...args] = line.split(" ");
    if (program !== "slipway") throw new Error(`${line} is no line of slipway`);
    const node = ["--conditions=@slipway/source", "--input-type=module", "-e", START, "--", ...args];
    const child = spawn(process.execPath, node, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => void (said.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => void (said.stderr += chunk.toString()));
    const ended = once(child, "close").then(() => ({ exitCode: child.exitCode, ...said }));
    return { child, ended };
  };
  return { start, run: async (line) => await start(line).ended };
}

/** The lines that the README shows, with the one image that the cluster has. */
async function linesOfReadme(): Promise<readonly string[]> {
  const readme = await readFile(path.join(PACKAGE, "README.md"), "utf8");
  const [, block = ""] = /## From a terminal[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  return block.trim().replace("debian:stable-slim", MACHINE_IMAGE).split("\n");
}

async function tenant(): Promise<string> {
  const cluster = inject("cluster");
  const namespace = await newNamespace(cluster, adminOf(cluster));
  return kubeconfigOf(cluster, cluster.tenantToken, namespace);
}

test("the README's lines do what it says", async () => {
  const { run, start } = await terminal(await tenant());
  const [spawned = "", listed = "", executed = "", followed = "", terminated = ""] = await linesOfReadme();
  expect(await run(spawned)).toMatchObject({ exitCode: 0 });
  expect((await run(listed)).stdout).toMatch(/job-7.*running|running.*job-7/);
  expect(await run(executed)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Linux") });
  // It goes on until its pod ends.
  const follower = start(followed);
  expect(await run(terminated)).toMatchObject({ exitCode: 0 });
  expect(await follower.ended).toMatchObject({ exitCode: 0 });
  // Its program has ended; the pod is shown as terminating until its node has cleaned up.
  const isGone = async () => expect((await run(listed)).stdout).not.toContain("job-7");
  await vi.waitFor(isGone, { timeout: 60_000, interval: 100 });
});

test("doctor has a row for it: all rights, or those that are missing", async () => {
  const doctor = "slipway doctor --provider kubernetes";
  const well = await (await terminal(await tenant())).run(doctor);
  expect(`${well.stdout}${well.stderr}`).toMatch(/kubernetes/);
  expect(well).toMatchObject({ exitCode: 0 });
  const poor = await (await terminal(await tenant(), { namespace: "kube-system" })).run(doctor);
  expect(`${poor.stdout}${poor.stderr}`).toMatch(/may not .*create pods.* in the namespace kube-system/);
  expect(poor.exitCode).not.toBe(0);
});

const LINE = `slipway spawn --provider kubernetes --cpus 0.02 --image ${MACHINE_IMAGE} --key k`;

interface Fault {
  readonly kubeconfig?: () => string;
  readonly config?: object;
  readonly line?: string;
  readonly says: RegExp;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "a kubeconfig that is none": { kubeconfig: () => "{ not: [a kubeconfig", says: /kubeconfig/i },
  "a context that is not there": { config: { context: "nowhere" }, says: /context.*nowhere/ },
  "a namespace that is not there": {
    kubeconfig: () => kubeconfigOf(inject("cluster"), inject("cluster").adminToken, "no-such-namespace"),
    says: /namespace.*no-such-namespace/,
  },
  "a permission that is missing": {
    config: { namespace: "kube-system" },
    says: /tenant.*may not|cannot .*kube-system/,
  },
  "an image that does not exist": {
    line: `slipway spawn --provider kubernetes --cpus 0.02 --image registry.test/nothing:1 --key k --wait --timeout 20s`,
    says: /registry\.test\/nothing:1/,
  },
};

describe("one clear line for", () => {
  test.each(Object.entries(FAULTS))("%s", async (_what, { kubeconfig, config, line = LINE, says }) => {
    const { run } = await terminal(kubeconfig?.() ?? (await tenant()), config);
    const { exitCode, stderr } = await run(line);
    expect(exitCode).not.toBe(0);
    const errors = stderr.split("\n").filter((each) => /error/i.test(each));
    expect(errors.join("\n")).toMatch(says);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});
