import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@slipway/core";
import { machinesMissing } from "@slipway/provider-kit/emulator";
import { serve } from "@slipway/provider-lambda/emulator";
import { afterEach, describe, expect, test } from "vitest";
import { startRun } from "../../soak/victim-run.ts";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const LOOK_EVERY_MS = 5;
// Some of a private key's lines are the same in every one.
const SECRET_LINE = /^[A-Za-z0-9+/=]{60,}$/;

/** What was seen while a run lived, of its secrets. */
interface Seen {
  readonly keys: Set<string>;
  readonly argumentLists: Set<string>;
  readonly openFiles: Set<string>;
}

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(missing !== null)("a whole run on a cloud", () => {
  test.each([[[]], [["--json"]]])(
    "with %j shows no secret to another user of this machine, nor in what it prints",
    async (flags) => {
      const cwd = mkdtempSync(join(tmpdir(), "slipway-secrets-"));
      directories.push(cwd);
      for (const inner of ["state", "tmp"]) mkdirSync(join(cwd, inner));
      const served = await serve({ bootMs: 60_000, endMs: 1_000, limits: null, machines: "light", speed: 60 });
      try {
        const found = fileURLToPath(import.meta.resolve("@slipway/provider-lambda"));
        const config = { requestsPerSecond: 1_000, secondsPerLaunch: 0.001, readAfterWriteMs: 0 };
        const written = { providers: { lambda: { package: found, config } } };
        writeFileSync(join(cwd, "slipway.config.json"), JSON.stringify(written));
        const { PATH = "" } = process.env;
        const place = { PATH, HOME: cwd, XDG_STATE_HOME: join(cwd, "state"), TMPDIR: join(cwd, "tmp") };
        const apiKey = served.variables["LAMBDA_API_KEY"] ?? "";
        expect(apiKey.length).toBeGreaterThan(8);
        const words = ["--provider", "lambda", "--spec", "gpu_1x_a10", ...flags];
        const run = startRun(cwd, { ...place, ...served.variables }, words);
        const seen: Seen = { keys: new Set(), argumentLists: new Set(), openFiles: new Set() };
        let lives = true;
        const ended = run.ended.finally(() => {
          lives = false;
        });
        while (lives) {
          look(cwd, apiKey, seen);
          await systemClock.sleep(LOOK_EVERY_MS);
        }
        look(cwd, apiKey, seen);
        const { end, said } = await ended;
        expect(end, said).toBe("7");
        // Without it the looks would have proved nothing.
        expect(seen.keys.size).toBeGreaterThan(0);
        expect([...seen.argumentLists]).toEqual([]);
        expect([...seen.openFiles]).toEqual([]);
        expect([apiKey, ...seen.keys].filter((secret) => said.includes(secret))).toEqual([]);
      } finally {
        await served.close();
      }
    },
  );
});

/** Looks at every argument list of this machine, and at every file of the run. */
function look(cwd: string, apiKey: string, { keys, argumentLists, openFiles }: Seen): void {
  for (const found of readdirSync(cwd, { recursive: true, withFileTypes: true })) {
    // A pipe would be waited for.
    if (!found.isFile()) continue;
    const path = join(found.parentPath, found.name);
    const text = textOf(path);
    const lines = text.includes("PRIVATE KEY-----") ? text.split("\n").filter((line) => SECRET_LINE.test(line)) : [];
    for (const line of lines.slice(1)) keys.add(line);
    const isSecret = text.includes(apiKey) || lines.length > 0;
    if (isSecret && (modeOf(path) & 0o077) !== 0) openFiles.add(path);
  }
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const words = textOf(`/proc/${pid}/cmdline`);
    if ([apiKey, ...keys].some((secret) => words.includes(secret))) argumentLists.add(words.split("\0")[0] ?? "");
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Gone meanwhile.
    return "";
  }
}

function modeOf(path: string): number {
  try {
    return statSync(path).mode;
  } catch {
    return 0;
  }
}
