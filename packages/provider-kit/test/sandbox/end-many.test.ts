import type * as Fs from "node:fs";
import { expect, test, vi } from "vitest";
import { detectIsolation, endSandbox, systemProcessTable } from "../../src/sandbox/index.ts";
import { started } from "./sandboxes.ts";

const { walks } = vi.hoisted(() => ({ walks: { count: 0 } }));

vi.mock("node:fs", async (original) => {
  const actual = await original<typeof Fs>();
  const readdirSync = ((...args: Parameters<typeof actual.readdirSync>) => {
    if (args[0] === "/proc") walks.count += 1;
    return actual.readdirSync(...args);
  }) as typeof actual.readdirSync;
  return { ...actual, readdirSync };
});

const MANY = 24;

test("ends that run at once look at the processes of the machine together", async () => {
  const isolation = await detectIsolation({ variables: { SLIPWAY_SANDBOX: "none" } });
  const sandboxes = await Promise.all(Array.from({ length: MANY }, () => started(isolation)));
  walks.count = 0;
  await Promise.all(sandboxes.map((sandbox) => endSandbox(sandbox)));
  // A few rounds, each with a look at what began meanwhile: not one for each end.
  expect(walks.count).toBeLessThan(3 * MANY);
  const table = systemProcessTable();
  for (const { id } of sandboxes) expect(await table.withEnvironment([`SLIPWAY_SANDBOX_ID=${id}`])).toEqual([]);
});
