import { simulatedClock } from "@slipway/provider-kit/emulator";
import { afterEach, describe, expect, test } from "vitest";
import { type RunpodEmulator, type RunpodEmulatorSettings, runpodEmulator, serve } from "../emulator/index.ts";
import { runpod } from "../src/index.ts";
import { API_KEY, GPU } from "./runpod-harness.ts";

const POD = {
  name: "a",
  image: "ubuntu:24.04",
  gpu: { id: GPU, count: 1 },
  cloud: "SECURE",
  disk: 20,
  ports: ["22/tcp"],
  env: {},
};

function emulated(settings: RunpodEmulatorSettings = {}) {
  const clock = simulatedClock({ start: "2026-11-20T12:00:00.000Z" });
  const emulator = runpodEmulator({ clock, apiKeys: [API_KEY], ...settings });
  return { clock, emulator, ask: asker(emulator) };
}

interface Said {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

function asker(emulator: RunpodEmulator) {
  return async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Said> => {
    const all = { authorization: `Bearer ${API_KEY}`, "user-agent": "tests", ...headers };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const request = new Request(`https://api.runpod.io/v2/${path}`, {
      method,
      headers: all,
      ...(body === undefined ? {} : { body: text }),
    });
    const response = await emulator.handle(request);
    const said = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: said === "" ? {} : (JSON.parse(said) as Readonly<Record<string, unknown>>),
    };
  };
}

describe("requests are checked as strictly as RunPod checks them", () => {
  const without = (name: string): object => Object.fromEntries(Object.entries(POD).filter(([field]) => field !== name));
  test.each<[string, unknown, number, RegExp]>([
    ["an unknown field", { ...POD, colour: 1 }, 422, /additional properties 'colour' not allowed/],
    [
      "an unknown field further in",
      { ...POD, gpu: { ...POD.gpu, kind: 1 } },
      422,
      /^\$\.gpu: additional properties 'kind'/,
    ],
    ["no name", without("name"), 422, /missing property 'name'/],
    ["an empty name", { ...POD, name: "" }, 422, /\$\.name: minLength/],
    ["no image", without("image"), 422, /missing property 'image'/],
    ["neither gpu nor cpu", without("gpu"), 422, /exactly one of 'gpu', 'cpu'/],
    ["gpu and cpu", { ...POD, cpu: { id: "cpu5c", vcpuCount: 2 } }, 422, /exactly one of 'gpu', 'cpu'/],
    ["no GPUs", { ...POD, gpu: { id: GPU, count: 0 } }, 422, /\$\.gpu\.count: minimum/],
    ["half a GPU", { ...POD, gpu: { id: GPU, count: 1.5 } }, 422, /\$\.gpu\.count: got number, want integer/],
    ["an odd number of vCPUs", { ...without("gpu"), cpu: { id: "cpu5c", vcpuCount: 6 } }, 422, /power of two/],
    ["another cloud", { ...POD, cloud: "ALL" }, 422, /must be one of 'SECURE', 'COMMUNITY'/],
    ["no disk", { ...POD, disk: 0 }, 422, /\$\.disk: minimum/],
    ["a UDP port", { ...POD, ports: ["53/udp"] }, 422, /\$\.ports\[0\]/],
    ["a variable that is no text", { ...POD, env: { A: 1 } }, 422, /\$\.env\.A: got integer, want string/],
    [
      "more than 50 variables",
      { ...POD, env: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`V${at}`, ""])) },
      422,
      /maxProperties/,
    ],
    ["a small disk of its own", { ...POD, mounts: { persistent: { size: 5, path: "/w" } } }, 422, /size: minimum/],
    [
      "two kinds of mounts",
      { ...POD, mounts: { persistent: { size: 10, path: "/w" }, network: [] } },
      400,
      /exclude each other/,
    ],
    [
      "a volume that is none",
      { ...POD, mounts: { network: [{ volumeId: "X", path: "/w" }] } },
      404,
      /volume not found/,
    ],
    ["a GPU type that is none", { ...POD, gpu: { id: "X", count: 1 } }, 404, /'X' not found/],
    ["a data centre that is none", { ...POD, dataCenterIds: ["MOON-1"] }, 400, /no longer any instances/],
    [
      "both CUDA fields",
      { ...POD, gpu: { ...POD.gpu, allowedCudaVersions: ["12.8"], minCudaVersion: "12.1" } },
      400,
      /exclude/,
    ],
    ["no JSON", "{", 400, /not valid JSON/],
  ])("%s", async (_what, body, status, detail) => {
    const { ask, emulator } = emulated();
    const said = await ask("POST", "pods", body);
    expect(said.status).toBe(status);
    expect(said.headers.get("content-type")).toBe("application/problem+json");
    expect(said.body).toMatchObject({ title: expect.any(String), status, detail: expect.stringMatching(detail) });
    expect(emulator.changes).toBe(0);
  });

  test.each([
    ["GET", "catalog/gpus?include=AVAILABILITY", 400],
    ["GET", "catalog/gpus?product=POD", 400],
    ["GET", "catalog/gpus?include=AVAILABILITY&product=POD&cloud=ALL", 422],
    ["GET", "catalog/datacenters?include=WEATHER", 422],
    ["GET", "pods?limit=0", 422],
    ["GET", "pods?cursor=nonsense", 400],
    ["GET", "pods?colour=blue", 200],
    ["PUT", "pods", 405],
    ["GET", "nothing", 404],
    ["GET", "pods/none", 404],
  ])("%s %s is %i", async (method, path, status) => {
    const said = await emulated().ask(method, path);
    expect(said.status).toBe(status);
    if (status === 405) expect(said.headers.get("allow")).toBe("POST, GET");
  });

  test("a body that is too large is refused before the key is looked at", async () => {
    const { ask } = emulated();
    const large = { ...POD, args: "x".repeat(102_400) };
    expect((await ask("POST", "pods", large, { authorization: "" })).status).toBe(413);
    expect((await ask("POST", "pods", POD, { authorization: "" })).status).toBe(401);
  });
});

test("a pod is RUNNING before it can be reached, and its actions follow its status", async () => {
  const { ask, clock } = emulated({ rates: null });
  const { body } = await ask("POST", "pods", POD);
  const seen: unknown[] = [];
  for (const ms of [0, 5_000, 18_000, 5_000]) {
    await clock.sleep(ms);
    const { body: pod } = await ask("GET", `pods/${String(body["id"])}`);
    seen.push([pod["status"], (pod["ssh"] as { direct: unknown }).direct !== null, pod["runtime"] !== null]);
  }
  expect(seen).toEqual([
    ["PROVISIONING", false, false],
    ["STARTING", false, false],
    ["RUNNING", false, false],
    ["RUNNING", true, true],
  ]);
  expect((await ask("POST", `pods/${String(body["id"])}/action`, { action: "start" })).status).toBe(409);
  expect((await ask("POST", `pods/${String(body["id"])}/action`, { action: "dance" })).status).toBe(422);
  const stopped = await ask("POST", `pods/${String(body["id"])}/action`, { action: "stop" });
  expect(stopped.body).toMatchObject({ status: "EXITED", actions: ["start", "terminate"], runtime: null, cost: 0.69 });
  expect((await ask("DELETE", `pods/${String(body["id"])}`)).status).toBe(204);
  expect((await ask("GET", `pods/${String(body["id"])}`)).status).toBe(404);
});

test("a pod without a count of GPUs has one", async () => {
  const { ask, clock } = emulated();
  const made = await ask("POST", "pods", { ...POD, gpu: { id: GPU } });
  expect(made).toMatchObject({ status: 201, body: { gpu: { id: GPU, count: 1 } } });
  await clock.sleep(28_000);
  const { body } = await ask("GET", `pods/${String(made.body["id"])}`);
  expect(body["runtime"]).toMatchObject({ gpus: [{ util: 0 }] });
});

test("stock runs out, and the catalog says so", async () => {
  const { ask } = emulated({
    stock: [
      { spec: GPU, units: 0 },
      { spec: GPU, dataCenter: "EU-RO-1", units: 3 },
    ],
  });
  const shown = async () => {
    const { body } = await ask("GET", "catalog/gpus?include=AVAILABILITY&product=POD&count=2");
    return (body["gpus"] as { id: string; availability: string; dataCenters?: unknown }[]).find(({ id }) => id === GPU);
  };
  expect(await shown()).toMatchObject({ availability: "MEDIUM", dataCenters: [{ id: "EU-RO-1" }] });
  expect((await ask("POST", "pods", { ...POD, gpu: { id: GPU, count: 2 } })).status).toBe(201);
  const none = await shown();
  expect(none).toMatchObject({ availability: "NONE" });
  expect(none).not.toHaveProperty("dataCenters");
  expect((await ask("POST", "pods", { ...POD, gpu: { id: GPU, count: 2 } })).status).toBe(400);
});

test("every window is counted, and told", async () => {
  const { ask, clock } = emulated({ rates: { minute: 2, hour: 3, day: 50 } });
  const first = await ask("GET", "pods");
  expect(first.headers.get("ratelimit-policy")).toBe('"minute";q=2;w=60, "hour";q=3;w=3600, "day";q=50;w=86400');
  expect(first.headers.get("ratelimit")).toBe('"minute";r=1;t=60, "hour";r=2;t=3600, "day";r=49;t=43200');
  await ask("GET", "pods");
  const refused = await ask("GET", "pods");
  expect([refused.status, refused.headers.get("retry-after"), refused.body["detail"]]).toEqual([
    429,
    "60",
    "rate limit exceeded for the minute window",
  ]);
  await clock.sleep(60_000);
  expect((await ask("GET", "pods")).status).toBe(200);
  expect((await ask("GET", "pods")).body["detail"]).toBe("rate limit exceeded for the hour window");
});

test("the same seed gives the same ids, another gives others", async () => {
  const idOf = async (seed: number) => (await emulated({ seed }).ask("POST", "pods", POD)).body["id"];
  expect(await idOf(7)).toBe(await idOf(7));
  expect(await idOf(7)).not.toBe(await idOf(8));
});

describe("as a server", () => {
  let close: () => Promise<void> = async () => undefined;
  afterEach(() => close());

  test("the provider works over a real connection, and time passes as fast as it is told to", async () => {
    const server = await serve({ speed: 10_000, apiKeys: [API_KEY], rates: null });
    close = server.close;
    const options = {
      apiKey: API_KEY,
      owner: "served",
      baseUrl: server.baseUrl,
      probe: false,
      readAfterWriteMs: 0,
    } as const;
    const provider = runpod(options);
    const { id } = await provider.spawn({ key: "a", spec: GPU });
    for (let tries = 0; tries < 200 && (await provider.get(id))?.status !== "running"; tries += 1);
    expect(await provider.get(id)).toMatchObject({ status: "running", ssh: { user: "root" } });
    server.emulator.faults.add({ operation: "list", when: "reply-lost", times: 1 });
    expect(await runpod(options).list()).toHaveLength(1);
    await provider.terminate(id);
    expect(await provider.get(id)).toBeNull();
  });
});
