import { nameFor } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { failure, LAPTOP_KEY, lambdaWorld, OTHER_KEY } from "./world.ts";

const LAUNCH = "/instance-operations/launch";
const A10 = { spec: "gpu_1x_a10" } as const;

test("a launch carries name, tags, labels and exactly one key", async () => {
  const { provider, sent } = lambdaWorld();
  const instance = await provider.spawn({
    ...A10,
    region: "us-east-1",
    key: "job 1/ä".replace("ä", "a"),
    name: "trainer",
    labels: { team: "blue" },
    expiresAt: "2030-01-01T00:00:00Z",
    image: "lambda-stack-24-04",
  });
  const [body] = sent(LAUNCH);
  expect(body).toMatchObject({
    region_name: "us-east-1",
    instance_type_name: "gpu_1x_a10",
    ssh_key_names: ["laptop"],
    name: nameFor("tests", "job 1/a"),
    image: { family: "lambda-stack-24-04" },
  });
  expect(body?.["tags"]).toEqual([
    { key: "slipway:owner", value: "tests" },
    { key: "slipway:key", value: "job 1/a" },
    { key: "slipway:spec-hash", value: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    { key: "slipway:name", value: "trainer" },
    { key: "slipway:expires-at", value: "2030-01-01T00:00:00Z" },
    { key: "team", value: "blue" },
  ]);
  expect(instance).toMatchObject({
    labels: { team: "blue" },
    name: "trainer",
    expiresAt: "2030-01-01T00:00:00Z",
    image: "lambda-stack-24-04",
    createdAt: null,
    price: { usdPerHour: 0.75, source: "live" },
    resources: { gpus: { type: "a10", count: 1 }, cpus: 30, memoryBytes: 200 * 1024 ** 3 },
  });
});

test("a spawn that a listing does not show yet answers what was asked for, and the key finds it", async () => {
  const { provider, emulator } = lambdaWorld({ readLagMs: 4_000 });
  const first = await provider.spawn({ ...A10, key: "job" });
  expect(first).toMatchObject({
    status: "pending",
    region: "us-west-1",
    spec: "gpu_1x_a10",
    key: "job",
    owner: "tests",
  });
  expect(first.price?.usdPerHour).toBe(0.75);
  const again = await provider.spawn({ ...A10, key: "job" });
  expect(again.id).toBe(first.id);
  const other = await failure(provider.spawn({ ...A10, key: "job", labels: { a1: "x" } }));
  expect(other).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: first.id } });
  expect(emulator.control.instances()).toHaveLength(1);
});

test("spawns of one key at once in one process make one instance", async () => {
  const { provider, emulator } = lambdaWorld({ readLagMs: 4_000 });
  const spawned = await Promise.all(Array.from({ length: 8 }, () => provider.spawn({ ...A10, key: "job" })));
  expect(new Set(spawned.map(({ id }) => id)).size).toBe(1);
  expect(emulator.control.instances()).toHaveLength(1);
});

test("of two specs at once under one key the second is CONFLICT", async () => {
  const { provider, emulator } = lambdaWorld();
  const first = provider.spawn({ ...A10, key: "job" });
  const error = await failure(provider.spawn({ spec: "gpu_1x_a100", key: "job" }));
  expect(error).toMatchObject({ code: "CONFLICT", native: { id: (await first).id } });
  expect(emulator.control.instances()).toHaveLength(1);
});

test("a spawn that is aborted while another of its key is under way has no effect", async () => {
  const { provider, emulator } = lambdaWorld();
  const controller = new AbortController();
  emulator.control.faults.add({ operation: "spawn", when: "delayed", delayMs: 10_000 });
  const first = provider.spawn({ ...A10, key: "job" });
  const second = failure(provider.spawn({ ...A10, key: "job", signal: controller.signal }));
  controller.abort();
  expect(await second).toMatchObject({ code: "CANCELLED", effect: "none" });
  await first;
  expect(emulator.control.instances()).toHaveLength(1);
});

test("get answers what was launched just now, though Lambda does not show it yet", async () => {
  const { provider, another, emulator } = lambdaWorld({ readLagMs: 3_000 });
  const { id } = await provider.spawn({ ...A10, key: "job" });
  expect(await provider.get(id)).toMatchObject({ id, status: "pending", key: "job" });
  expect(await another().get(id)).toBeNull();
  await provider.terminate(id);
  expect(await provider.get(id)).toBeNull();
  await emulator.clock.sleep(4_000);
  expect((await provider.get(id))?.status).toBe("terminating");
});

test("a key whose instance this process is ending gets a new one, where the listing still says otherwise", async () => {
  const { provider, emulator } = lambdaWorld({ readLagMs: 3_000 });
  const { id } = await provider.spawn({ ...A10, key: "job" });
  await emulator.clock.sleep(10_000);
  await provider.terminate(id);
  const second = await provider.spawn({ ...A10, key: "job" });
  expect(second).toMatchObject({ status: "pending", key: "job" });
  expect(second.id).not.toBe(id);
  expect(emulator.control.instances()).toHaveLength(2);
});

test("a launch that was accepted is answered, whatever becomes of the look at it", async () => {
  const { provider, emulator } = lambdaWorld();
  emulator.control.faults.add({ operation: "get", when: "before", row: "bad-gateway", times: 50 });
  expect(await provider.spawn({ ...A10, key: "job" })).toMatchObject({ status: "pending", key: "job" });
});

test("after a launch that is terminated at once the key is free, also where reads lag", async () => {
  const { provider, emulator } = lambdaWorld({ readLagMs: 2_000, endMs: 1_000, listedAfterEndMs: 0 });
  const first = await provider.spawn({ ...A10, key: "job" });
  await provider.terminate(first.id);
  await emulator.clock.sleep(10_000);
  const second = await provider.spawn({ ...A10, key: "job" });
  expect(second.id).not.toBe(first.id);
});

describe("labels", () => {
  test.each([
    ["Team", "begin with a letter"],
    ["a", "2 to 55"],
    ["team_name", "a-z, 0-9"],
    ["x".repeat(56), "2 to 55"],
    ["slipway:key", "reserved"],
    ["lambda-ai-x", "Lambda keeps"],
  ])("the label %s is refused with the rule", async (label, rule) => {
    const { provider, sent } = lambdaWorld();
    const error = await failure(provider.spawn({ ...A10, labels: { [label]: "x" } }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.message).toContain(rule);
    expect(sent("/instances")).toEqual([]);
  });

  test("a value of more than 128 characters is refused", async () => {
    const { provider } = lambdaWorld();
    const error = await failure(provider.spawn({ ...A10, labels: { team: "x".repeat(129) } }));
    expect(error.message).toContain("128");
  });
});

describe("SSH keys", () => {
  test("a key that the account has is found by its body, whatever its comment", async () => {
    const { provider, emulator, sent } = lambdaWorld();
    await provider.spawn({ ...A10, sshKeys: [LAPTOP_KEY.replace("me@laptop", "somebody else")] });
    expect(sent(LAUNCH)[0]?.["ssh_key_names"]).toEqual(["laptop"]);
    expect(emulator.control.sshKeys()).toHaveLength(1);
  });

  test("another key is added under our name, once, also from another process", async () => {
    const { provider, another, emulator, sent } = lambdaWorld();
    await Promise.all([1, 2, 3].map((n) => provider.spawn({ ...A10, key: `job-${n}`, sshKeys: [OTHER_KEY] })));
    await another().spawn({ ...A10, key: "job-4", sshKeys: [OTHER_KEY] });
    const added = emulator.control.sshKeys().filter(({ name }) => name !== "laptop");
    expect(added).toHaveLength(1);
    expect(added[0]).toMatchObject({ publicKey: OTHER_KEY, name: expect.stringMatching(/^slip-/) });
    expect(sent(LAUNCH).map((body) => body["ssh_key_names"])).toEqual(Array(4).fill([added[0]?.name]));
  });

  test("two processes that add one key at once leave one of the name", async () => {
    const { another, emulator } = lambdaWorld();
    const [one, two] = [another(), another()];
    const [a, b] = await Promise.all([
      one.spawn({ ...A10, key: "a", sshKeys: [OTHER_KEY] }),
      two.spawn({ ...A10, key: "b", sshKeys: [OTHER_KEY] }),
    ]);
    expect(a.id).not.toBe(b.id);
    expect(emulator.control.sshKeys().filter(({ name }) => name.startsWith("slip-"))).toHaveLength(1);
  });

  test("a key whose name another key has too is not used: such a launch would fail", async () => {
    const { provider, emulator } = lambdaWorld();
    emulator.control.addSshKey("laptop", OTHER_KEY);
    const { id } = await provider.spawn({ ...A10, sshKeys: [LAPTOP_KEY] });
    const made = emulator.control.instances().find(({ nativeId }) => nativeId === id);
    expect(made?.sshKeyName).toMatch(/^slip-/);
  });

  test("a key that was removed meanwhile is added again by the spawn that wants it", async () => {
    const { provider, emulator } = lambdaWorld({ sshKeys: [] }, { sshKeyName: undefined });
    await provider.spawn({ ...A10, sshKeys: [OTHER_KEY] });
    const [own] = emulator.control.sshKeys();
    const response = await emulator.fetch(`https://cloud.lambda.ai/api/v1/ssh-keys/${own?.id}`, {
      method: "DELETE",
      headers: { authorization: "Bearer secret-lambda-key-0f3a", "user-agent": "test" },
    });
    expect(response.status).toBe(200);
    const { id } = await provider.spawn({ ...A10, sshKeys: [OTHER_KEY] });
    expect(emulator.control.sshKeys()).toHaveLength(1);
    expect(emulator.control.instances().filter(({ nativeId }) => nativeId === id)).toHaveLength(1);
    expect(emulator.control.instances()).toHaveLength(2);
  });

  test("an answer lost while adding a key is looked up", async () => {
    const { provider, emulator } = lambdaWorld();
    emulator.control.faults.add({ operation: "add-ssh-key", when: "reply-lost" });
    await provider.spawn({ ...A10, sshKeys: [OTHER_KEY] });
    expect(emulator.control.sshKeys()).toHaveLength(2);
  });

  test("further keys go into the user data, with and without a bootstrap", async () => {
    const { provider, sent } = lambdaWorld();
    await provider.spawn({ ...A10, sshKeys: [LAPTOP_KEY, OTHER_KEY] });
    await provider.spawn({ ...A10, sshKeys: [LAPTOP_KEY, OTHER_KEY], bootstrap: { script: "echo hi" } });
    const documents = sent(LAUNCH).map(({ user_data }) => {
      const text = String(user_data);
      expect(text.startsWith("#cloud-config\n")).toBe(true);
      return JSON.parse(text.slice("#cloud-config\n".length)) as Record<string, unknown>;
    });
    expect(documents[0]).toEqual({ ssh_authorized_keys: [OTHER_KEY] });
    expect(documents[1]).toMatchObject({ ssh_authorized_keys: [OTHER_KEY], runcmd: [["/bin/sh", expect.any(String)]] });
    expect(documents[1]?.["write_files"]).toHaveLength(1);
  });

  test("no key at all is refused with what to do", async () => {
    const { provider } = lambdaWorld({}, { sshKeyName: undefined });
    const error = await failure(provider.spawn({ ...A10 }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.hint).toContain("sshKeyName");
  });
});

describe("bootstraps", () => {
  test("is sent as it was rendered", async () => {
    const { provider, sent } = lambdaWorld();
    const script = provider.generateBootstrap({ script: "echo hi" });
    await provider.spawn({ ...A10, bootstrap: script });
    expect(script.format).toBe("cloud-init");
    expect(sent(LAUNCH)[0]?.["user_data"]).toBe(script.content);
  });

  test("more than a megabyte is refused before any call", async () => {
    const { provider, sent } = lambdaWorld();
    const error = await failure(provider.spawn({ ...A10, bootstrap: { script: `: ${"x".repeat(760_000)}` } }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(sent("/instances")).toEqual([]);
  });

  test("neither token nor variables show where Lambda repeats them", async () => {
    const { emulator, another } = lambdaWorld();
    const bootstrap = {
      script: "echo s3cret-script",
      registrationToken: "t0ken-of-mine",
      environment: { PASS: "pa55word" },
    };
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (!String(input).endsWith("launch")) return await emulator.fetch(input, init);
      const message = `bad ${String(init?.body)} t0ken-of-mine pa55word echo s3cret-script`;
      const body = JSON.stringify({ error: { code: "global/invalid-parameters", message } });
      return new Response(body, { status: 400, headers: { "content-type": "application/json" } });
    };
    const error = await failure(another({ runtime: { clock: emulator.clock, fetch } }).spawn({ ...A10, bootstrap }));
    expect(error.code).toBe("INVALID_SPEC");
    for (const secret of ["t0ken-of-mine", "pa55word", "s3cret-script"])
      expect(JSON.stringify(error)).not.toContain(secret);
  });

  test("a foreign document cannot be added to, and says what to do", async () => {
    const { provider } = lambdaWorld();
    const own = provider.generateBootstrap({ script: "exit 0" });
    const { checksumOf } = await import("@slipway/core");
    const content = "#cloud-config\npackages: [jq]\n";
    const foreign = { ...own, content, checksum: checksumOf(content), byteLength: content.length };
    const error = await failure(provider.spawn({ ...A10, bootstrap: foreign, sshKeys: [LAPTOP_KEY, OTHER_KEY] }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    await provider.spawn({ ...A10, bootstrap: foreign });
  });
});
