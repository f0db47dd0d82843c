import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { missingServer } from "./server/postgres-server.ts";

const missing = missingServer() ?? (process.getuid?.() === 0 ? null : "only root makes network namespaces");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);
const KEYS = Number(process.env["SLIPWAY_LOST_KEYS"] ?? 30);
const LEASE_MS = 3000;

interface Report {
  readonly residue: { readonly code: number; readonly alone: number; readonly made: number; readonly live: number };
  readonly lost: { readonly before: number; readonly made: number; readonly tookMs: number };
}

test.skipIf(missing !== null)(
  "a host that is cut off: another one launches its keys, and what arrives late is ended by the host that sent it",
  async () => {
    const program = fileURLToPath(new URL("children/lost-host.ts", import.meta.url));
    const args = ["--net", process.execPath, "--conditions=@slipway/source", "--no-warnings", program];
    const stage = spawn("unshare", [...args, String(KEYS), String(LEASE_MS)], { stdio: ["ignore", "pipe", "inherit"] });
    const [printed] = await Promise.all([text(stage.stdout), once(stage, "exit")]);
    const report: unknown = JSON.parse(printed);
    console.log(`host cut off, lease ${LEASE_MS} ms: ${printed.trim()}`);
    expect(report).toMatchObject({
      // The second one was there: without it this case would show nothing.
      residue: { code: 0, alone: 1, made: 2, live: 1, isSame: true },
      lost: { code: 0, keys: KEYS, alone: KEYS, live: KEYS, differing: 0 },
      free: KEYS,
    });
    // As the program prints it.
    const { lost } = report as Report;
    expect(lost.before).toBeLessThan(KEYS);
  },
  300_000,
);
