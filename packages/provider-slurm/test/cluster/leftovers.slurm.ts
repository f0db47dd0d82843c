import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { slurmCluster } from "../../src/testing/index.ts";
import { processesOf } from "../../src/testing/leftovers.ts";

const PROGRAM = fileURLToPath(new URL("./abandoned-cluster.ts", import.meta.url));

test("a cluster whose process was killed is ended by the next start, and no other is", {
  timeout: 120_000,
}, async () => {
  const mine = await slurmCluster();
  try {
    const child = fork(PROGRAM, [], { execArgv: ["--conditions=@slipway/source"], stdio: "ignore" });
    const [directory]: unknown[] = await once(child, "message");
    if (typeof directory !== "string") throw new Error("it names no directory");
    child.kill("SIGKILL");
    await once(child, "exit");
    // Munge, the controller, six nodes, and a job that ignores every signal that it can.
    expect(processesOf(directory).length).toBeGreaterThanOrEqual(10);
    const next = await slurmCluster();
    await next.close();
    expect(processesOf(directory)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
    expect(await mine.run("scontrol", "ping")).toContain("UP");
  } finally {
    await mine.close();
  }
  expect(processesOf(mine.directory)).toEqual([]);
});
