import { describe, expect, test } from "vitest";
import { type LambdaEmulatorSettings, lambdaEmulator, serve } from "../emulator/index.ts";
import { lambda } from "../src/index.ts";

const KEY = "lambda-emulator-key";
const SSH = { name: "laptop", publicKey: "ssh-ed25519 AAAA" };
const LAUNCH = { region_name: "us-west-1", instance_type_name: "gpu_1x_a10", ssh_key_names: ["laptop"] };

/** What the tests read of an answer's data; absent where the answer is another one. */
interface Data extends ReadonlyArray<Data> {
  readonly id: string;
  readonly status: string;
  readonly instance_ids: readonly [string];
  readonly gpu_1x_a10: { readonly regions_with_capacity_available: readonly { readonly name: string }[] };
}

function wire(settings: LambdaEmulatorSettings = {}) {
  const emulator = lambdaEmulator({ limits: null, sshKeys: [SSH], ...settings });
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await emulator.handle(
      new Request(`https://cloud.lambda.ai/api/v1/${path}`, {
        method,
        headers: { authorization: `Bearer ${KEY}`, "user-agent": "test", ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    const isJson = response.headers.get("content-type") === "application/json";
    // Whatever a test reads that is not there fails that test.
    const json = (isJson ? JSON.parse(text) : {}) as { data?: Data; error?: { code: string; message: string } };
    return {
      status: response.status,
      text,
      data: json.data as Data,
      code: json.error?.code,
      message: json.error?.message,
    };
  };
  return { emulator, send };
}

describe("launch is judged by the document", () => {
  test.each([
    [{ colour: "blue" }, "body"],
    [{ region_name: "atlantis-1" }, "region_name"],
    [{ ssh_key_names: [] }, "ssh_key_names"],
    [{ ssh_key_names: ["laptop", "other"] }, "ssh_key_names"],
    [{ quantity: 2 }, "quantity"],
    [{ name: "x".repeat(65) }, "name"],
    [{ hostname: "-x" }, "hostname"],
    [{ user_data: "x".repeat(1_000_001) }, "user_data"],
    [{ tags: [{ key: "T", value: "" }] }, "tags.0.key"],
    [{ tags: [{ key: "team", value: "x".repeat(129) }] }, "tags.0.value"],
    [{ tags: [{ key: "lambda-ai-x", value: "" }] }, "tags.0.key"],
    [{ file_system_mounts: [{ mount_point: "/mnt/x", file_system_id: "a" }] }, "file_system_mounts.0.mount_point"],
    [{ instance_type_name: 7 }, "instance_type_name"],
  ])("%j is invalid-parameters", async (extra, field) => {
    const { send, emulator } = wire();
    const answer = await send("POST", "instance-operations/launch", { ...LAUNCH, ...extra });
    expect(answer).toMatchObject({ status: 400, code: "global/invalid-parameters" });
    expect(answer.message).toContain(field);
    expect(emulator.control.instances()).toEqual([]);
  });

  test.each([
    [{ instance_type_name: "gpu_99x" }, 404, "global/object-does-not-exist"],
    [{ ssh_key_names: ["nobody"] }, 400, "global/object-does-not-exist"],
    [{ image: { family: "windows" } }, 404, "global/object-does-not-exist"],
    [{ file_system_names: ["none"] }, 404, "global/object-does-not-exist"],
  ])("%j is %i %s", async (extra, status, code) => {
    const { send } = wire();
    expect(await send("POST", "instance-operations/launch", { ...LAUNCH, ...extra })).toMatchObject({ status, code });
  });

  test("quantity 1 is tolerated, a body that is no JSON is not", async () => {
    const { send } = wire();
    expect((await send("POST", "instance-operations/launch", { ...LAUNCH, quantity: 1 })).status).toBe(200);
    expect(await send("POST", "instance-operations/launch", "{")).toMatchObject({ status: 400 });
  });

  test("two SSH keys of one name make every launch fail with global/unknown", async () => {
    const { send, emulator } = wire();
    emulator.control.addSshKey("laptop", "ssh-ed25519 BBBB");
    expect(await send("POST", "instance-operations/launch", LAUNCH)).toMatchObject({
      status: 500,
      code: "global/unknown",
    });
  });

  test("capacity runs out and comes back; quotas refuse", async () => {
    const { send, emulator } = wire({ instanceQuota: 2, endMs: 1_000 });
    emulator.control.setCapacity("gpu_1x_a10", "us-west-1", 1);
    const { data } = await send("POST", "instance-operations/launch", LAUNCH);
    const code = "instance-operations/launch/insufficient-capacity";
    expect(await send("POST", "instance-operations/launch", LAUNCH)).toMatchObject({ status: 400, code });
    const { data: types } = await send("GET", "instance-types");
    const shown = types.gpu_1x_a10.regions_with_capacity_available.map(({ name }) => name);
    expect(shown).not.toContain("us-west-1");
    await send("POST", "instance-operations/terminate", { instance_ids: data.instance_ids });
    await emulator.clock.sleep(2_000);
    await send("POST", "instance-operations/launch", LAUNCH);
    await send("POST", "instance-operations/launch", { ...LAUNCH, region_name: "us-east-1" });
    const over = await send("POST", "instance-operations/launch", { ...LAUNCH, region_name: "us-east-2" });
    expect(over).toMatchObject({ status: 400, code: "global/quota-exceeded" });
  });
});

describe("life", () => {
  test("booting, active, terminating, still listed, gone from the list, gone", async () => {
    const { send, emulator } = wire({
      bootMs: 100_000,
      endMs: 10_000,
      listedAfterEndMs: 5_000,
      readableAfterEndMs: 20_000,
      latencyMs: 0,
    });
    const { data } = await send("POST", "instance-operations/launch", LAUNCH);
    const [id] = data.instance_ids;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const look = async () => {
      const one = await send("GET", `instances/${id}`);
      return [one.status === 404 ? 404 : one.data.status, (await send("GET", "instances")).data.length];
    };
    const seen = [await look()];
    await emulator.clock.sleep(100_000);
    seen.push(await look());
    await send("POST", "instance-operations/terminate", { instance_ids: [id] });
    seen.push(await look());
    const twice = await send("POST", "instance-operations/terminate", { instance_ids: [id] });
    expect(twice).toMatchObject({ status: 500, code: "global/unknown" });
    for (const ms of [11_000, 5_000, 20_000]) {
      await emulator.clock.sleep(ms);
      seen.push(await look());
    }
    expect(seen).toEqual([
      ["booting", 1],
      ["active", 1],
      ["terminating", 1],
      ["terminated", 1],
      ["terminated", 0],
      [404, 0],
    ]);
    const late = await send("POST", "instance-operations/terminate", { instance_ids: [id] });
    expect(late).toMatchObject({ status: 404, code: "global/object-does-not-exist" });
  });

  test("one unknown id refuses the whole batch", async () => {
    const { send, emulator } = wire();
    const { data } = await send("POST", "instance-operations/launch", LAUNCH);
    const answer = await send("POST", "instance-operations/terminate", {
      instance_ids: [...data.instance_ids, "nobody"],
    });
    expect(answer.status).toBe(404);
    expect(emulator.control.instances()[0]?.status).toBe("booting");
  });

  test("reads lag behind writes, and catch up", async () => {
    const { send, emulator } = wire({ readLagMs: 3_000, latencyMs: 0 });
    const { data } = await send("POST", "instance-operations/launch", LAUNCH);
    expect((await send("GET", "instances")).data).toEqual([]);
    expect((await send("GET", `instances/${data.instance_ids[0]}`)).status).toBe(404);
    await emulator.clock.sleep(3_000);
    expect((await send("GET", "instances")).data).toHaveLength(1);
  });

  test("an unhealthy machine may come back", async () => {
    const { send, emulator } = wire();
    const { data } = await send("POST", "instance-operations/launch", LAUNCH);
    emulator.control.setStatus(data.instance_ids[0], "unhealthy", 10_000);
    expect((await send("GET", "instances")).data[0]?.status).toBe("unhealthy");
    await emulator.clock.sleep(11_000);
    expect((await send("GET", "instances")).data[0]?.status).toBe("active");
  });
});

describe("the door", () => {
  test("wrong keys are 401, the old Basic form is let in", async () => {
    const { send } = wire();
    expect(await send("GET", "instances", undefined, { authorization: "Bearer wrong" })).toMatchObject({
      status: 401,
      code: "global/invalid-api-key",
    });
    const basic = `Basic ${Buffer.from(`${KEY}:`).toString("base64")}`;
    expect((await send("GET", "instances", undefined, { authorization: basic })).status).toBe(200);
  });

  test("a client without a name of its own gets Cloudflare's page", async () => {
    const { send } = wire();
    const answer = await send("GET", "instances", undefined, { "user-agent": "Python-urllib/3.12" });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("<!DOCTYPE html>");
  });

  test("more than one request a second, or a launch in 12 seconds, is 429", async () => {
    const { send, emulator } = wire({ limits: { requestsPerSecond: 1, secondsPerLaunch: 12 }, latencyMs: 0 });
    const statuses = [(await send("GET", "instances")).status, (await send("GET", "instances")).status];
    await emulator.clock.sleep(1_000);
    statuses.push((await send("POST", "instance-operations/launch", LAUNCH)).status);
    await emulator.clock.sleep(11_999);
    statuses.push((await send("POST", "instance-operations/launch", LAUNCH)).status);
    await emulator.clock.sleep(1);
    statuses.push((await send("POST", "instance-operations/launch", LAUNCH)).status);
    expect(statuses).toEqual([200, 429, 200, 429, 200]);
  });

  test("paths that are not there are not-found", async () => {
    const { send } = wire();
    expect(await send("GET", "volumes")).toMatchObject({ status: 404, code: "global/not-found" });
    expect((await send("GET", "images")).data[0]).toMatchObject({
      family: expect.any(String),
      region: { name: expect.any(String) },
    });
  });
});

describe("keys and filesystems", () => {
  test("a key without a body is generated, its private half shown once", async () => {
    const { send } = wire({ sshKeys: [] });
    const { data } = await send("POST", "ssh-keys", { name: "made" });
    expect(Object.keys(data).sort()).toEqual(["id", "name", "private_key", "public_key"]);
    expect(Object.keys((await send("GET", "ssh-keys")).data[0] ?? {}).sort()).toEqual(["id", "name", "public_key"]);
    expect((await send("DELETE", `ssh-keys/${data.id}`)).data).toEqual({});
    expect((await send("DELETE", `ssh-keys/${data.id}`)).code).toBe("global/invalid-parameters");
  });

  test("filesystems: name, duplicate, quota, in use, wrong region", async () => {
    const { send } = wire({ fileSystemQuota: 2 });
    const create = (name: string, region = "us-west-1") => send("POST", "filesystems", { name, region });
    expect((await create("1st")).code).toBe("global/invalid-parameters");
    const { data } = await create("first");
    expect((await create("first")).code).toBe("global/duplicate");
    await create("second", "us-east-1");
    expect((await create("third")).code).toBe("global/quota-exceeded");
    const wrong = await send("POST", "instance-operations/launch", { ...LAUNCH, file_system_names: ["second"] });
    expect(wrong.code).toBe("instance-operations/launch/file-system-in-wrong-region");
    await send("POST", "instance-operations/launch", { ...LAUNCH, file_system_names: ["first"] });
    expect((await send("DELETE", `filesystems/${data.id}`)).code).toBe("filesystems/filesystem-in-use");
    expect((await send("GET", "file-systems")).data[0]).toMatchObject({
      is_in_use: true,
      mount_point: "/lambda/nfs/first",
    });
    expect((await send("DELETE", "filesystems/none")).status).toBe(404);
  });
});

test("the same seed gives the same ids, another seed others", async () => {
  const ids = await Promise.all(
    [7, 7, 8].map(
      async (seed) => (await wire({ seed }).send("POST", "instance-operations/launch", LAUNCH)).data.instance_ids[0],
    ),
  );
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
});

test("as a server it serves a provider over real HTTP", async () => {
  const server = await serve({ speed: 1_000, sshKeys: [SSH] });
  try {
    const provider = lambda({
      apiKey: KEY,
      owner: "tests",
      baseUrl: server.baseUrl,
      sshKeyName: "laptop",
      regions: ["us-west-1"],
      requestsPerSecond: 500,
      secondsPerLaunch: 0.02,
    });
    const { id } = await provider.spawn({ spec: "gpu_1x_a10", key: "over-http" });
    expect((await provider.list()).map((instance) => instance.id)).toEqual([id]);
    await provider.terminate(id);
    server.emulator.control.faults.add({ operation: "spawn", when: "reply-lost" });
    const lost = provider.spawn({ spec: "gpu_1x_a10", key: "lost" });
    await expect(lost).rejects.toMatchObject({ code: "NETWORK", effect: "unknown" });
    expect(await provider.list({ keys: ["lost"] })).toHaveLength(1);
  } finally {
    await server.close();
  }
}, 120_000);
