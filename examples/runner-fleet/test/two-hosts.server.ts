import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { machinesMissing } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { postgresPrograms } from "./database.ts";

const missing =
  (postgresPrograms() === undefined ? "postgresql is not installed" : await machinesMissing("light")) ??
  (process.getuid?.() === 0 ? null : "only root makes network namespaces");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

interface Report {
  readonly added: number;
  readonly jobs: readonly { readonly key: string; readonly result: { readonly repeated: boolean } | null }[];
}

test.skipIf(missing !== null)(
  "two hosts, one cut off and killed, the database restarted, a spot instance reclaimed: one result for each job, nothing left",
  async () => {
    const program = fileURLToPath(new URL("two-hosts.ts", import.meta.url));
    const args = ["--net", process.execPath, "--conditions=@slipway/source", "--no-warnings", program];
    const stage = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"] });
    const [printed] = await Promise.all([text(stage.stdout), once(stage, "exit")]);
    // As the program above prints it.
    const { jobs, added, ...left } = JSON.parse(printed) as Report;
    expect(left).toEqual({ code: 0, taken: true, live: 0, local: 0 });
    expect(jobs.length).toBe(added);
    for (const { key, result } of jobs) expect(result).toMatchObject({ exitCode: 0, stdout: `by ${key}\n` });
    // Of the spot instance, and of the host that was cut off.
    expect(jobs.filter(({ result }) => result?.repeated === true).length).toBeGreaterThanOrEqual(2);
  },
);
