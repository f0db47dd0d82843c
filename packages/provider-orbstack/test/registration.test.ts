import { readFile } from "node:fs/promises";
import { nameFor } from "@slipway/core";
import { expect, test } from "vitest";
import { orbstackEmulator } from "../emulator/index.ts";
import { orbstack, register } from "../src/index.ts";
import { failure } from "./failure.ts";

test("a wrong config or owner is refused, without its values", async () => {
  const env = { owner: "t", variables: {} };
  const error = await failure(register({ image: "-secret-image" }, env));
  expect(error).toMatchObject({ code: "INVALID_SPEC", operation: "register" });
  expect(error.message).not.toContain("secret");
  expect(() => orbstack({ owner: "Not An Owner" })).toThrow(/owner/);
  expect(await failure(register({ region: "x" }, env))).toMatchObject({ code: "INVALID_SPEC" });
});

test("a heartbeat counts what is there, and starts nothing", async () => {
  const emulator = orbstackEmulator();
  const { clock, exec, control } = emulator;
  const variables = { HOME: "/home/t" };
  const runtime = { clock, exec };
  try {
    const { provider, hooks } = await register({}, { owner: "t", variables, runtime });
    const expired = await provider.spawn({ key: "expired", expiresAt: "2026-01-01T00:00:00.000Z" });
    await provider.spawn({ key: "runs" });
    await control.stop(expired.nativeId);
    await orbstack({ owner: "else", variables, runtime }).spawn({ key: "theirs" });
    await control.addUnmanaged();
    // As a client leaves it that was killed right after the creation.
    await emulator.orbctl(["create", "--user", `slip-${"0".repeat(24)}`, "debian", nameFor("t", "half")]);
    const tasks = ["health_check", "reconcile", "orphan_scan", "refresh_prices"] as const;
    const deadline = new Date(clock.now() + 60_000).toISOString();
    const { receipts } = await hooks.onHeartbeat({ tasks, deadline });
    expect(receipts.map((receipt) => (receipt.ok ? receipt.details : receipt.error.code))).toEqual([
      { engine: "Running", version: "2.2.3" },
      { running: 2, stopped: 1 },
      { ours: 3, others: 1, expired: 1, halfMade: 1 },
      { known: false },
    ]);
    expect((await provider.get(expired.id))?.status).toBe("stopped");
    await control.setEngine("Stopped");
    const off = await hooks.onHeartbeat({ tasks: ["orphan_scan"], deadline });
    expect(off.receipts[0]).toMatchObject({ ok: false, error: { code: "UNAVAILABLE" } });
    expect(await failure(Promise.resolve().then(() => hooks.onStartup()))).toMatchObject({ code: "UNAVAILABLE" });
  } finally {
    await emulator.close();
  }
});

test("a version that is newer than all described is a warning, and no refusal", async () => {
  const emulator = orbstackEmulator({ version: "3.0.0" });
  const said: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (text: string) => said.push(text),
    error: () => undefined,
  };
  const runtime = { clock: emulator.clock, exec: emulator.exec, log };
  try {
    await (await register({}, { owner: "t", variables: { HOME: "/h" }, runtime })).hooks.onStartup();
    expect(said).toEqual(["this version of OrbStack is newer than all that were described"]);
  } finally {
    await emulator.close();
  }
});

test("the main entry loads nothing of the emulator and of chaos", async () => {
  const loaded = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (loaded.has(file.href)) return;
    loaded.add(file.href);
    const text = await readFile(file, "utf8");
    for (const [, path] of text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) {
      if (path !== undefined) await visit(new URL(path, file));
    }
    expect(text).not.toMatch(/@slipway\/provider-kit\/(emulator|chaos|sandbox)/);
  };
  await visit(new URL("../src/index.ts", import.meta.url));
  const names = [...loaded].map((href) => href.slice(href.indexOf("/src/") + 5));
  expect(names).toContain("client.ts");
  expect(names.filter((name) => /^(emulator|chaos)/.test(name))).toEqual([]);
});
