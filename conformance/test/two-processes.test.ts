import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fileStore, type LaunchStore, reconcile } from "@slipway/control";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, type LambdaEmulatorServer, serve } from "@slipway/provider-lambda/emulator";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LIMITS, OWNER, READ_LAG_MS, SPEED } from "../src/scaled-lambda.ts";

const program = fileURLToPath(new URL("../src/launch-keys.ts", import.meta.url));
const KEYS = ["a", "b", "c", "d", "e", "f", "g", "h"];

interface Outcome {
  readonly key: string;
  readonly id?: string;
  readonly code?: string;
}

let server: LambdaEmulatorServer;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-two-processes-"));
});
beforeEach(async () => {
  server = await serve({
    speed: SPEED,
    readLagMs: READ_LAG_MS,
    sshKeys: [{ name: "laptop", publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop" }],
  });
  return () => server.close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function launchAll(store: string): Promise<readonly Outcome[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@slipway/source", program, server.baseUrl, join(directory, store), KEYS.join(",")],
    { env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] } },
  );
  return JSON.parse(stdout) as readonly Outcome[];
}

function live(): readonly { readonly key: string | null; readonly nativeId: string }[] {
  return server.emulator.control.instances().filter((one) => one.live);
}

async function planOf(store: LaunchStore) {
  const provider = lambda({ ...LIMITS, apiKey: EMULATOR_API_KEY, owner: OWNER, baseUrl: server.baseUrl });
  return reconcile(provider, { store });
}

/** What was written last is seen by a reader that began so long ago. */
const pastTheLag = (): Promise<void> => server.emulator.clock.sleep(2 * READ_LAG_MS);

describe("two processes, the same keys, one account", { timeout: 300_000 }, () => {
  test("with one store: one instance for each key, and both know it", async () => {
    const [left, right] = await Promise.all([launchAll("one"), launchAll("one")]);
    expect(left.map(({ code }) => code)).toEqual(KEYS.map(() => undefined));
    expect(left).toEqual(right);
    const held = live();
    expect(held.map(({ key }) => key).toSorted()).toEqual(KEYS);
    expect(held.map(({ nativeId }) => nativeId).toSorted()).toEqual(left.map(({ id }) => id).toSorted());
    await pastTheLag();
    expect((await planOf(fileStore(join(directory, "one")))).items).toEqual([]);
  });

  test("with two stores: nothing is lost, and reconcile names every one too many", async () => {
    const outcomes = await Promise.all([launchAll("left"), launchAll("right")]);
    await pastTheLag();
    for (const [index, name] of ["left", "right"].entries()) {
      const plan = await planOf(fileStore(join(directory, name)));
      const known = new Set(outcomes[index]?.map(({ id }) => id));
      const named = new Set(plan.items.map(({ instanceId }) => instanceId));
      // Whatever costs money is either what this control plane launched, or in its plan.
      for (const { nativeId } of live()) expect(known.has(nativeId) || named.has(nativeId)).toBe(true);
      const perKey = Map.groupBy(live(), ({ key }) => key);
      for (const [key, held] of perKey) {
        if (held.length < 2) continue;
        expect(plan.items.filter((item) => item.kind === "duplicate" && item.key === key)).not.toEqual([]);
      }
      expect([...perKey.keys()].toSorted()).toEqual(KEYS);
    }
  });
});
