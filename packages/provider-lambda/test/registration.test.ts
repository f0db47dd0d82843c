import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { lambdaEmulator } from "../emulator/index.ts";
import { lambda, register } from "../src/index.ts";
import { API_KEY, runtimeOf } from "./lambda-harness.ts";
import { failure, LAPTOP_KEY, lambdaWorld, OTHER_KEY } from "./world.ts";

const OWNER = "tests";

describe("register", () => {
  test("takes key and address from the variables", async () => {
    const urls: string[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      urls.push(`${String(input)} ${new Headers(init?.headers).get("authorization")}`);
      return new Response('{"data":[]}', { headers: { "content-type": "application/json" } });
    };
    const variables = { LAMBDA_API_KEY: "from-variables", LAMBDA_BASE_URL: "http://127.0.0.1:7/api/v1" };
    const { hooks, provider } = await register(undefined, { owner: OWNER, variables, runtime: { fetch } });
    await hooks.onStartup();
    expect(provider.limits.readAfterWriteMs).toBe(10_000);
    expect(urls).toEqual(["http://127.0.0.1:7/api/v1/ssh-keys Bearer from-variables"]);
  });

  test("without a key says where to put it", async () => {
    const error = await failure(register({}, { owner: OWNER, variables: {} }));
    expect(error).toMatchObject({ code: "AUTH_ERROR", operation: "register", effect: "none" });
    expect(error.hint).toContain("LAMBDA_API_KEY");
  });

  test("shows no key where the key is wrong", async () => {
    const apiKey = "s3cret\nX-Other: 1";
    const error = await failure(register({ apiKey }, { owner: OWNER, variables: {} }));
    expect(error.code).toBe("INVALID_SPEC");
    expect(error.message).not.toContain("s3cret");
    expect(() => lambda({ apiKey, owner: OWNER })).toThrow(/apiKey/);
  });
});

describe("cleanup", () => {
  test("removes the keys that this owner's launches added, once no instance was launched with them", async () => {
    const { emulator, provider, another } = lambdaWorld({ bootMs: 0, endMs: 0 }, { sshKeyName: undefined });
    const mine = await provider.spawn({ spec: "gpu_1x_a10", sshKeys: [OTHER_KEY] });
    await another({ owner: "else" }).spawn({ spec: "gpu_1x_a10", sshKeys: ["ssh-ed25519 AAAAelse"] });
    const runtime = runtimeOf(emulator);
    const { cleanup } = await register({ apiKey: API_KEY }, { owner: OWNER, variables: {}, runtime });
    expect(cleanup.addsSshKeys, "the command asks nobody else for keys").toBe(true);
    expect(await cleanup.planCleanup()).toEqual([]);
    const names = (): readonly string[] => emulator.control.sshKeys().map(({ publicKey }) => publicKey);
    const [key] = emulator.control.sshKeys().filter(({ publicKey }) => publicKey === OTHER_KEY);
    const item = { kind: "ssh-key", id: key?.id ?? "", reason: "r" };
    expect(await cleanup.removeLeftover(item)).toBe("in-use");

    await provider.terminate(mine.id);
    expect(await cleanup.planCleanup()).toMatchObject([{ kind: "ssh-key", id: key?.id, sshKey: OTHER_KEY }]);
    expect(await cleanup.removeLeftover(item)).toBe("removed");
    expect(await cleanup.removeLeftover(item)).toBe("removed");
    expect(names()).toEqual([LAPTOP_KEY, "ssh-ed25519 AAAAelse"]);
    expect(await failure(cleanup.removeLeftover({ ...item, kind: "group" }))).toMatchObject({ code: "INVALID_SPEC" });
    // Another one launches with the same key: it is added again.
    await provider.spawn({ spec: "gpu_1x_a10", key: "again", sshKeys: [OTHER_KEY] });
    expect(names()).toContain(OTHER_KEY);
  });

  test("leaves the key that sshKeyName names, whoever added it", async () => {
    const { emulator, provider } = lambdaWorld({ bootMs: 0, endMs: 0 }, { sshKeyName: undefined });
    const { id } = await provider.spawn({ spec: "gpu_1x_a10", sshKeys: [OTHER_KEY] });
    await provider.terminate(id);
    const key = emulator.control.sshKeys().find(({ publicKey }) => publicKey === OTHER_KEY);
    const config = { apiKey: API_KEY, sshKeyName: key?.name };
    const { cleanup } = await register(config, { owner: OWNER, variables: {}, runtime: runtimeOf(emulator) });
    expect(await cleanup.planCleanup()).toEqual([]);
    expect(await cleanup.removeLeftover({ kind: "ssh-key", id: key?.id ?? "", reason: "r" })).toBe("in-use");
  });
});

describe("hooks", () => {
  test("startup fails for a configured SSH key that the account has not, or has twice", async () => {
    const emulator = lambdaEmulator({ limits: null });
    const config = { apiKey: "lambda-emulator-key", sshKeyName: "laptop" };
    const { hooks } = await register(config, { owner: OWNER, variables: {}, runtime: emulator });
    expect(await failure(hooks.onStartup())).toMatchObject({ code: "INVALID_SPEC", operation: "onStartup" });
    emulator.control.addSshKey("laptop", "ssh-ed25519 AAAAa");
    await hooks.onStartup();
    emulator.control.addSshKey("laptop", "ssh-ed25519 AAAAb");
    const error = await failure(hooks.onStartup());
    expect(error.message).toContain("2 SSH keys");
  });

  test("a heartbeat counts what is there, and its tasks share the reads", async () => {
    const world = lambdaWorld();
    await world.provider.spawn({ spec: "gpu_1x_a10", expiresAt: "2020-01-01T00:00:00Z" });
    await world.another({ owner: "else" }).spawn({ spec: "gpu_1x_a10" });
    world.emulator.control.addUnmanaged();
    const { hooks } = await register(
      { apiKey: "secret-lambda-key-0f3a", requestsPerSecond: 1_000 },
      { owner: OWNER, variables: {}, runtime: world.emulator },
    );
    const before = world.emulator.control.requests.length;
    const deadline = new Date(world.emulator.clock.now() + 60_000).toISOString();
    const tasks = ["health_check", "reconcile", "orphan_scan", "refresh_prices"] as const;
    const { receipts } = await hooks.onHeartbeat({ tasks, deadline });
    expect(receipts).toEqual([
      { task: "health_check", ok: true, details: { unhealthy: 0, preempted: 0 } },
      { task: "reconcile", ok: true, details: { pending: 1 } },
      { task: "orphan_scan", ok: true, details: { ours: 1, others: 1, expired: 1 } },
      { task: "refresh_prices", ok: true, details: { prices: 8, available: 8 } },
    ]);
    expect(world.emulator.control.requests.length - before).toBe(2);
  });

  test("a deadline that is no time has passed", async () => {
    const { hooks } = await register(
      { apiKey: "lambda-emulator-key" },
      { owner: OWNER, variables: {}, runtime: lambdaEmulator() },
    );
    const { receipts } = await hooks.onHeartbeat({ tasks: ["reconcile"], deadline: "tomorrow" });
    expect(receipts[0]).toMatchObject({ ok: false, error: { code: "TIMEOUT" } });
  });
});

test("the main entry loads nothing of the emulator", async () => {
  const loaded = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (loaded.has(file.href)) return;
    loaded.add(file.href);
    const text = await readFile(file, "utf8");
    for (const [, path] of text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) {
      if (path !== undefined) await visit(new URL(path, file));
    }
    expect(text).not.toContain("@slipway/provider-kit/emulator");
  };
  await visit(new URL("../src/index.ts", import.meta.url));
  const names = [...loaded].map((href) => href.slice(href.indexOf("/src/") + 5));
  expect(names).toContain("client.ts");
  expect(names.filter((name) => name.startsWith("emulator"))).toEqual([]);
});
