import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Ec2EmulatorServer, serve } from "../emulator/index.ts";

const WITHIN_MS = 60_000;
const cwd = fileURLToPath(new URL("..", import.meta.url));
const SCRIPT = `
  const { register } = await import("./src/index.ts");
  const { provider } = await register({ readAfterWriteMs: 2_000 }, { owner: "tests", variables: process.env });
  const instance = await provider.spawn({ key: "k", spec: "t3.micro", ports: [{ port: 22 }], labels: { a: "b" } });
  process.stdout.write(instance.id);
`;

let server: Ec2EmulatorServer;
let children: ChildProcess[];

beforeEach(async () => {
  server = await serve({ speed: 20, readLagMs: 1_000, limits: null });
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await server.close();
});

function started(): ChildProcess {
  const args = ["--conditions", "@slipway/source", "--no-warnings", "--input-type", "module", "--eval", SCRIPT];
  const env = {
    PATH: process.env["PATH"],
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    ...server.variables,
  };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
}

async function finished(child: ChildProcess): Promise<string> {
  const output: string[] = [];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(0);
  return output.join("");
}

const ours = () => server.emulator.control.instances().filter(({ live }) => live);

test(
  "processes that are killed with each request of a spawn, and one that is not: one instance",
  async () => {
    for (let requests = 1; requests <= 8; requests += 1) {
      const before = server.emulator.control.requests.length;
      const child = started();
      await vi.waitFor(
        () =>
          expect(
            server.emulator.control.requests.length - before + Number(child.exitCode !== null) * 99,
          ).toBeGreaterThanOrEqual(requests),
        { interval: 1, timeout: WITHIN_MS },
      );
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    }
    const id = await finished(started());
    expect(ours().map((one) => `us-east-1/${one.id.slice(one.id.indexOf("/") + 1)}`)).toEqual([id]);
    expect(server.emulator.control.securityGroups().filter(({ tags }) => "slipway:owner" in tags)).toHaveLength(1);
  },
  WITHIN_MS,
);

test(
  "processes that spawn one key at once answer one instance",
  async () => {
    const ids = await Promise.all([started(), started(), started()].map(finished));
    expect(new Set(ids).size).toBe(1);
    expect(ours()).toHaveLength(1);
  },
  WITHIN_MS,
);
