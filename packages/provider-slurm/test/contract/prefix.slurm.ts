import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderTable, runConformance } from "@slipway/contract-tests";
import { afterAll, expect, test } from "vitest";
import { type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";
import { slurmHarness } from "./slurm-harness.ts";

let cluster: Promise<SlurmCluster> | undefined;
afterAll(async () => {
  await (await cluster)?.close();
}, 120_000);

/** A login node: as with ssh the words are joined, a shell takes them apart again, and no variable comes along. */
async function withLoginNode(): Promise<SlurmCluster> {
  const started = await slurmCluster();
  const program = '#!/bin/sh\nexec env -i PATH="$PATH" HOME="$HOME" sh -c "$*"\n';
  await writeFile(join(started.directory, "login-node"), program, { mode: 0o755 });
  return started;
}

// What a prefix can change: words and bytes on their way in, exit codes and messages on their way out, and whom a signal hits.
const PASSED_ON: readonly string[] = ["bootstrap", "errors", "cancellation"];

test("every operation, and all that a prefix passes on, through a command prefix", { timeout: 1_200_000 }, async () => {
  const factory = slurmHarness(
    () => (cluster ??= withLoginNode()),
    ({ directory }) => ({ commandPrefix: [join(directory, "login-node")] }),
  );
  const only = ({ group }: { readonly group: string }): boolean => PASSED_ON.includes(group);
  for (const options of [{ modes: ["projected"] }, { modes: ["plain"], only }] as const) {
    const report = await runConformance(factory, options);
    expect(report.passed, renderTable(report)).toBe(true);
  }
});
