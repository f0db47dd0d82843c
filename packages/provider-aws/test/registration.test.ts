import "@aws-sdk/client-ec2";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { aws, register } from "../src/index.ts";
import { CREDENTIALS, runtimeOf } from "./aws-harness.ts";
import { awsWorld, failure, wired } from "./world.ts";

const OWNER = "tests";

describe("register", () => {
  test("takes credentials, region and address from the variables", async () => {
    const urls: string[] = [];
    const { emulator } = awsWorld();
    const fetch: typeof globalThis.fetch = async (input, init) => {
      urls.push(`${String(input)} ${new Headers(init?.headers).get("authorization")?.split(",")[0]}`);
      return await emulator.fetch(input, init);
    };
    const variables = {
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: "us-west-2",
      AWS_ENDPOINT_URL: "http://127.0.0.1:7",
    };
    const runtime = { ...runtimeOf(emulator), fetch };
    const { provider } = await register(undefined, { owner: OWNER, variables, runtime });
    expect(await provider.listRegions()).toEqual([{ id: "us-west-2", name: "US West (Oregon)" }]);
    await provider.list();
    expect(urls[0]).toMatch(
      /^http:\/\/127\.0\.0\.1:7\/ AWS4-HMAC-SHA256 Credential=AKIACONTRACTTESTS000\/\d+\/us-west-2\/ec2/,
    );
  });

  test("shows no secret where the config is wrong", async () => {
    const credentials = { accessKeyId: "AKIA", secretAccessKey: "s3cret with spaces" };
    const error = await failure(register({ credentials }, { owner: OWNER, variables: {} }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", operation: "register" });
    expect(error.message).not.toContain("s3cret");
    expect(() => aws({ credentials, owner: OWNER })).toThrow(/secretAccessKey/);
  });
});

describe("startup", () => {
  const started = async (settings: Parameters<typeof awsWorld>[0], regions = ["us-east-1"]) => {
    const world = awsWorld(settings);
    const config = { credentials: CREDENTIALS, regions };
    const { hooks } = await register(config, { owner: OWNER, variables: {}, runtime: runtimeOf(world.emulator) });
    return { ...world, hooks };
  };

  test("passes with permissions, and changes nothing", async () => {
    const { hooks, emulator } = await started({});
    const before = emulator.control.changes();
    await hooks.onStartup();
    expect(emulator.control.changes()).toBe(before);
  });

  test("names what the policy lacks", async () => {
    const { hooks, emulator } = await started({});
    emulator.control.denied.add("RunInstances");
    emulator.control.denied.add("TerminateInstances");
    const error = await failure(hooks.onStartup());
    expect(error).toMatchObject({ code: "AUTH_ERROR", operation: "onStartup", effect: "none" });
    expect(error.message).toContain("ec2:RunInstances, ec2:TerminateInstances");
  });

  test("names a region that is not open to the account", async () => {
    const { hooks } = await started({}, ["us-east-1", "me-south-1"]);
    const error = await failure(hooks.onStartup());
    expect(error).toMatchObject({ code: "AUTH_ERROR", scope: "region" });
    expect(error.message).toContain("me-south-1");
  });

  test("names a region that the account has not switched on, though its address answers", async () => {
    const { emulator } = awsWorld();
    const fetch = wired(emulator.fetch, async ({ action }, send) => {
      const answer = await send();
      if (action !== "DescribeRegions") return answer;
      const text = (await answer.text()).replace(
        /(<regionName>us-west-2<.*?<optInStatus>)[^<]+/,
        (_all, head: string) => `${head}not-opted-in`,
      );
      return new Response(text, { status: answer.status, headers: answer.headers });
    });
    const config = { credentials: CREDENTIALS, regions: ["us-east-1", "us-west-2"] };
    const runtime = { ...runtimeOf(emulator), fetch };
    const { hooks } = await register(config, { owner: OWNER, variables: {}, runtime });
    const error = await failure(hooks.onStartup());
    expect(error).toMatchObject({ code: "AUTH_ERROR", scope: "region", effect: "none" });
    expect(error.message).toMatch(/no access to us-west-2$/);
  });

  test("of credentials that AWS does not know is AUTH_ERROR", async () => {
    const world = awsWorld();
    const config = { credentials: { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "x" }, regions: ["us-east-1"] };
    const { hooks } = await register(config, { owner: OWNER, variables: {}, runtime: runtimeOf(world.emulator) });
    expect(await failure(hooks.onStartup())).toMatchObject({ code: "AUTH_ERROR", operation: "onStartup" });
  });
});

test("a heartbeat counts what is there", async () => {
  const world = awsWorld({ bootMs: 0 });
  const spot = await world.provider.spawn({ spec: "t3.micro", spot: {} });
  await world.provider.spawn({ spec: "t3.micro", expiresAt: "2020-01-01T00:00:00Z" });
  await world.another({ owner: "else" }).spawn({ spec: "t3.micro" });
  world.emulator.control.addUnmanaged();
  world.emulator.control.interrupt(spot.nativeId, 0);
  await world.emulator.clock.sleep(120_000);
  const config = { credentials: CREDENTIALS, regions: ["us-east-1"] };
  const { hooks } = await register(config, { owner: OWNER, variables: {}, runtime: runtimeOf(world.emulator) });
  const deadline = new Date(world.emulator.clock.now() + 60_000).toISOString();
  const { receipts } = await hooks.onHeartbeat({ tasks: ["health_check", "reconcile", "orphan_scan"], deadline });
  expect(receipts).toEqual([
    { task: "health_check", ok: true, details: { interrupted: 1, failed: 0 } },
    { task: "reconcile", ok: true, details: { running: 1 } },
    { task: "orphan_scan", ok: true, details: { ours: 1, others: 1, expired: 1 } },
  ]);
});

test("the main entry loads nothing of the emulator, and names no SDK but to load it late or for its types", async () => {
  const loaded = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (loaded.has(file.href)) return;
    loaded.add(file.href);
    const text = await readFile(file, "utf8");
    expect(text, file.pathname).not.toMatch(/^import (?!type)[^;]*from "@aws-sdk/m);
    expect(text).not.toContain("@slipway/provider-kit/emulator");
    for (const [, path] of text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) {
      if (path !== undefined) await visit(new URL(path, file));
    }
  };
  await visit(new URL("../src/index.ts", import.meta.url));
  const names = [...loaded].map((href) => href.slice(href.indexOf("/src/") + 5));
  expect(names).toContain("sdk.ts");
  expect(names.filter((name) => name.startsWith("emulator"))).toEqual([]);
});

test("a process that makes a provider has loaded no module of the SDK", async () => {
  const script = `
    import { registerHooks } from "node:module";
    const seen = [];
    registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context); } });
    const { aws } = await import("./src/index.ts");
    aws({ owner: "tests" });
    const sdk = seen.filter((url) => /@aws-sdk|@smithy/.test(url));
    console.log(JSON.stringify({ modules: seen.length, sdk }));
  `;
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const args = ["--conditions", "@slipway/source", "--no-warnings", "--input-type", "module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 120_000 });
  const told = JSON.parse(stdout) as { readonly modules: number; readonly sdk: readonly string[] };
  expect(told.modules).toBeGreaterThan(50);
  expect(told.sdk).toEqual([]);
});
