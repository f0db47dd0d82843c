import { isProviderError, type ProviderError } from "@slipway/core";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { lambdaEmulator } from "../emulator/index.ts";
import { type LambdaProvider, lambda } from "../src/index.ts";
import { API_KEY, runtimeOf } from "./lambda-harness.ts";
import { chosen, type Mutation } from "./wire-mutations.ts";

// SLIPWAY_FUZZ_RUNS=20000 for the long run; the seed is printed where it fails.
const RUNS = Number(process.env["SLIPWAY_FUZZ_RUNS"] ?? 400);
const SEED = Number(process.env["SLIPWAY_FUZZ_SEED"] ?? 20_261_121);
const RUNS_IN_A_WORLD = 40;
const TOKEN = "t0ken-that-nobody-may-see";
const SECRETS = [API_KEY, TOKEN];

interface Subject {
  readonly name: string;
  readonly writes: boolean;
  /** The request whose answer is mutated. */
  readonly request: RegExp;
  readonly call: (provider: LambdaProvider, world: World) => Promise<unknown>;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "spawn",
    writes: true,
    request: /^POST .*\/launch$/,
    call: (provider, { next }) =>
      provider.spawn({ spec: "gpu_1x_a10", key: next(), bootstrap: { script: "exit 0", registrationToken: TOKEN } }),
  },
  {
    name: "terminate",
    writes: true,
    request: /^POST .*\/terminate$/,
    call: (provider, { running }) => provider.terminate(running),
  },
  {
    name: "createVolume",
    writes: true,
    request: /^POST .*\/filesystems$/,
    call: (provider, { next }) => provider.createVolume({ key: next(), sizeBytes: 1 }),
  },
  { name: "list", writes: false, request: /^GET .*\/instances$/, call: (provider) => provider.list() },
  {
    name: "get",
    writes: false,
    request: /^GET .*\/instances\/.+$/,
    call: (provider, { standing }) => provider.get(standing),
  },
  { name: "listVolumes", writes: false, request: /^GET .*\/file-systems$/, call: (provider) => provider.listVolumes() },
  {
    name: "placements",
    writes: false,
    request: /^GET .*\/instance-types$/,
    call: (provider) => provider.placements({ spec: "gpu_1x_a10" }),
  },
];

interface World {
  readonly next: () => string;
  readonly standing: string;
  readonly running: string;
}

test(`${RUNS} answers mutated on the wire`, async () => {
  const random = seededRandom(SEED);
  const tally = new Map<string, number>();
  let internal = 0;
  for (let run = 0; run < RUNS; run += RUNS_IN_A_WORLD) {
    internal += await inOneWorld(random, Math.min(RUNS_IN_A_WORLD, RUNS - run), tally);
  }
  // Every kind was tried, and hardly anything ends as a riddle.
  expect(tally.size).toBeGreaterThanOrEqual(RUNS < 1_000 ? 1 : 18);
  expect(internal / RUNS).toBeLessThanOrEqual(0.01);
}, 600_000);

async function inOneWorld(random: SeededRandom, runs: number, tally: Map<string, number>): Promise<number> {
  const transcript: string[] = [];
  const emulator = lambdaEmulator({
    apiKeys: [API_KEY],
    limits: null,
    latencyMs: 0,
    seed: random.whole(1_000_000),
    fileSystemQuota: 1_000,
    sshKeys: [{ name: "laptop", publicKey: "ssh-ed25519 AAAA" }],
  });
  let armed: { readonly request: RegExp; readonly mutation: Mutation; left: number } | null = null;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const now = armed;
    const meant = now?.request.test(`${init?.method} ${new URL(String(input)).pathname}`) === true;
    if (now === null || now.left === 0 || !meant) return await emulator.fetch(input, init);
    now.left -= 1;
    const response = now.mutation.refuses === true ? new Response() : await emulator.fetch(input, init);
    // Lambda may repeat the request that it refuses; it knows no other.
    const repeated = now.request.test("POST /launch") ? SECRETS : [API_KEY];
    const answer = now.mutation.apply({ status: response.status, text: await response.text() }, random, repeated);
    if (answer === "hang") await emulator.clock.sleep(Number.POSITIVE_INFINITY, init?.signal ?? undefined);
    if (answer instanceof Error) throw answer;
    return answer as Response;
  };
  const provider = lambda({
    apiKey: API_KEY,
    owner: "fuzz",
    sshKeyName: "laptop",
    regions: ["us-west-1"],
    requestsPerSecond: 1_000,
    secondsPerLaunch: 0.001,
    readAfterWriteMs: 0,
    runtime: { ...runtimeOf(emulator, transcript), fetch },
  });
  let keys = 0;
  let internal = 0;
  const next = (): string => `key-${(keys += 1)}`;
  const spawn = async (): Promise<string> => (await provider.spawn({ spec: "gpu_1x_a10", key: next() })).id;
  const standing = await spawn();

  for (let i = 0; i < runs; i += 1) {
    const subject = SUBJECTS[random.whole(SUBJECTS.length)];
    if (subject === undefined) continue;
    const world = { next, standing, running: subject.name === "terminate" ? await spawn() : standing };
    const mutation = chosen(random);
    const stays = random.next() < (mutation.code === "INTERNAL" && !subject.writes ? 0.02 : 0.3);
    tally.set(mutation.kind, (tally.get(mutation.kind) ?? 0) + 1);

    const before = emulator.control.changes();
    armed = { request: subject.request, mutation, left: stays ? Number.POSITIVE_INFINITY : 1 };
    const outcome = await settled(subject.call(provider, world));
    armed = null;
    const changed = emulator.control.changes() !== before;
    const where = `seed ${SEED}: ${mutation.kind} at ${subject.name}${stays ? ", for good" : ""}`;

    const saved = !stays && mutation[subject.writes ? "write" : "read"] === "saved";
    const expected = mutation.code === null || saved ? null : mutation.code;
    expect({ where, code: outcome?.code ?? null }).toEqual({ where, code: expected });
    if (outcome?.code === "INTERNAL") internal += 1;
    if (outcome === null) continue;
    if (changed) expect({ where, effect: outcome.effect }).not.toEqual({ where, effect: "none" });
    // A page of a proxy is no refusal of Lambda's, and so it is no proof.
    else if (mutation.code !== "INTERNAL") expect({ where, effect: outcome.effect }).toEqual({ where, effect: "none" });
    mustHide(where, outcome);
  }

  await emulator.clock.sleep(120_000);
  const listed = (await provider.list()).map(({ id }) => id).sort();
  const held = emulator.control
    .instances()
    .filter(({ live }) => live)
    .map(({ nativeId }) => nativeId)
    .sort();
  expect(listed).toEqual(held);
  expect((await provider.listVolumes()).length).toBe(emulator.control.volumes().length);
  for (const secret of SECRETS) expect(transcript.join("\n")).not.toContain(secret);
  return internal;
}

async function settled(call: Promise<unknown>): Promise<ProviderError | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (isProviderError(error)) return error;
    throw error;
  }
}

function mustHide(where: string, error: ProviderError): void {
  const texts = `${error.message} ${JSON.stringify(error)} ${error.hint ?? ""} ${String(error.stack)}`;
  for (const secret of SECRETS) expect({ where, shows: texts.includes(secret) }).toEqual({ where, shows: false });
}
