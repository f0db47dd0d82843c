import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { endSandbox, findSandbox, type IsolationReport, systemProcessTable } from "../../src/sandbox/index.ts";
import { isolations, scratch, started, withoutBubblewrap } from "./sandboxes.ts";

// Where the caller of a start would be killed: the process is there, and waits to be told that it may begin.
const { identity } = vi.hoisted(() => ({ identity: { asked: () => {}, answer: Promise.resolve() } }));

vi.mock("../../src/sandbox/process-identity.ts", async (original) => {
  const actual = await original<typeof import("../../src/sandbox/process-identity.ts")>();
  const identify: typeof actual.identify = async (pid) => {
    const { answer } = identity;
    identity.asked();
    await answer;
    return await actual.identify(pid);
  };
  return { ...actual, identify };
});

test.each(isolations)(
  "a start that was cut off before its command began is not found with $isolation",
  async (isolation) => {
    const held = Promise.withResolvers<void>();
    const there = Promise.withResolvers<void>();
    identity.answer = held.promise;
    identity.asked = () => there.resolve();
    const place = { id: `cut-off-${isolation.isolation}-${process.pid}`, directory: scratch() };
    const starting = started(isolation, place);
    await there.promise;
    identity.answer = Promise.resolve();
    const from = { ...place, isolation: isolation.isolation, network: "shared" } as const;
    expect(await findSandbox(from)).toBeNull();
    held.resolve();
    const sandbox = await starting;
    expect(await findSandbox(from)).toEqual(sandbox);
  },
);

// `startSandbox` has begun the process when it first waits.
const DIES_WHILE_IT_STARTS = `
  const [module, spec] = process.argv.slice(1);
  const { startSandbox } = await import(module);
  void startSandbox(JSON.parse(spec));
  process.kill(process.pid, "SIGKILL");
`;

test.each(isolations)("a start whose caller was killed ends by itself with $isolation", async (report) => {
  const place = { id: `orphan-${report.isolation}-${process.pid}`, directory: scratch() };
  onTestFinished(() => endSandbox(place));
  const module = fileURLToPath(import.meta.resolve("../../src/sandbox/index.ts"));
  const spec = JSON.stringify({ ...place, isolation: afterItsCaller(report), argv: ["sleep", "1000"] });
  const flags = ["--conditions=@slipway/source", "--input-type=module", "-e", DIES_WHILE_IT_STARTS, "--", module, spec];
  expect(spawnSync(process.execPath, flags).signal).toBe("SIGKILL");
  const tagged = (): Promise<readonly number[]> =>
    systemProcessTable().withEnvironment([`SLIPWAY_SANDBOX_ID=${place.id}`]);
  await expect.poll(tagged, { timeout: 120_000 }).toEqual([]);
});

const DIES_WHEN_IT_RUNS = `
  const [module, spec] = process.argv.slice(1);
  const { startSandbox } = await import(module);
  await startSandbox(JSON.parse(spec));
  process.kill(process.pid, "SIGKILL");
`;

test.skipIf(withoutBubblewrap !== null)("a sandbox that ends with its caller ends where that is killed", async () => {
  const place = { id: `with-caller-${process.pid}`, directory: scratch() };
  onTestFinished(() => endSandbox(place));
  const module = fileURLToPath(import.meta.resolve("../../src/sandbox/index.ts"));
  const spec = JSON.stringify({ ...place, isolation: isolations[0], argv: ["sleep", "1000"], endsWithCaller: true });
  const flags = ["--conditions=@slipway/source", "--input-type=module", "-e", DIES_WHEN_IT_RUNS, "--", module, spec];
  expect(spawnSync(process.execPath, flags).signal).toBe("SIGKILL");
  const tagged = (): Promise<readonly number[]> =>
    systemProcessTable().withEnvironment([`SLIPWAY_SANDBOX_ID=${place.id}`]);
  await expect.poll(tagged, { timeout: 30_000 }).toEqual([]);
});

/** With a bubblewrap that begins when its caller is gone, so that nobody reads what it says. */
function afterItsCaller(report: IsolationReport): IsolationReport {
  if (report.tools === null) return report;
  const bwrap = join(scratch(), "bwrap");
  const late = `#!/bin/sh\nwhile kill -0 $PPID 2>/dev/null; do sleep 0.01; done\nexec ${report.tools.bwrap} "$@"\n`;
  writeFileSync(bwrap, late, { mode: 0o700 });
  return { ...report, tools: { ...report.tools, bwrap } };
}
