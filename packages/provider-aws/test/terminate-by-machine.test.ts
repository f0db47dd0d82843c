import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { machinesMissing } from "@slipway/provider-kit/emulator";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { serve } from "../emulator/index.ts";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const WITHIN_MS = 60_000;
const LEAD_MS = 6_000;
const cwd = fileURLToPath(new URL("..", import.meta.url));
// It never ends by itself: only a kill stops it.
const SCRIPT = `
  const { register } = await import("./src/index.ts");
  const { provider } = await register({ readAfterWriteMs: 0 }, { owner: "tests", variables: process.env });
  const terminateBy = new Date(Date.now() + ${LEAD_MS}).toISOString();
  const { nativeId } = await provider.spawn({ key: "k", spec: "t3.micro", terminateBy });
  process.stdout.write(JSON.stringify({ nativeId, at: Date.parse(terminateBy) }) + "\\n");
  setInterval(() => undefined, 1_000);
`;

/** The pids of what waits in a machine of this host for that moment. */
function waiters(atSeconds: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words[0] === "sh" && words[3] === "slipway-terminate-by" && words[2]?.includes(`-lt ${atSeconds} ]`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe.skipIf(missing !== null)("a machine whose launcher was killed", () => {
  test(
    "waits for its own end, also after a reboot, and is gone then, but not earlier",
    async () => {
      const server = await serve({ bootMs: 200, endMs: 200, limits: null, machines: "light" });
      onTestFinished(() => server.close());
      const launcher = startLauncher(server.variables);
      onTestFinished(() => void launcher.kill("SIGKILL"));
      const { nativeId, at } = await firstLine(launcher);
      launcher.kill("SIGKILL");
      await once(launcher, "close");
      const { instances } = server.emulator.control;
      const stateOf = () => instances().find(({ id }) => id.endsWith(nativeId));
      const atSeconds = Math.ceil(at / 1000);
      const first = await vi.waitFor(() => one(waiters(atSeconds)), { timeout: WITHIN_MS, interval: 20 });
      await server.emulator.fetch(rebootOf(server.baseUrl, nativeId));
      const second = await vi.waitFor(
        () => {
          const now = one(waiters(atSeconds));
          expect(now).not.toBe(first);
          return now;
        },
        { timeout: WITHIN_MS, interval: 20 },
      );
      expect(second).toBeGreaterThan(0);
      await vi.waitFor(() => expect(stateOf()?.live).not.toBe(true), { timeout: WITHIN_MS, interval: 10 });
      expect(Date.now()).toBeGreaterThanOrEqual(at);
      await vi.waitFor(() => expect(waiters(atSeconds)).toEqual([]), { timeout: WITHIN_MS });
    },
    3 * WITHIN_MS,
  );
});

function one(pids: readonly number[]): number {
  const [only] = pids;
  if (only === undefined || pids.length > 1) throw new Error(`${pids.length} wait`);
  return only;
}

function startLauncher(variables: Readonly<Record<string, string>>): ChildProcess {
  const args = ["--conditions", "@slipway/source", "--no-warnings", "--input-type", "module", "--eval", SCRIPT];
  const env = { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"], ...variables };
  return spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
}

async function firstLine(child: ChildProcess): Promise<{ readonly nativeId: string; readonly at: number }> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes("\n")) return JSON.parse(text);
  }
  throw new Error(`the launcher ended early: ${text}`);
}

function rebootOf(url: string, id: string): Request {
  const body = new URLSearchParams({ Action: "RebootInstances", Version: "2016-11-15", "InstanceId.1": id });
  const authorization =
    "AWS4-HMAC-SHA256 Credential=AKIAEMULATOREMULATOR/20261129/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
  const headers = { authorization, "content-type": "application/x-www-form-urlencoded" };
  return new Request(url, { method: "POST", headers, body: body.toString() });
}
