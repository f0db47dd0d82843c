import { inspect } from "node:util";
import { isProviderError, type ProviderError } from "@slipway/core";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { type RunpodProvider, runpod } from "../src/index.ts";
import { API_KEY, GPU } from "./runpod-harness.ts";
import { MUTATIONS, type Mutation } from "./wire-mutations.ts";
import { testWorld } from "./world.ts";

// SLIPWAY_FUZZ_RUNS=20000 for the long run; the seed stands in what fails.
const RUNS = Number(process.env["SLIPWAY_FUZZ_RUNS"] ?? 300);
const SEED = Number(process.env["SLIPWAY_FUZZ_SEED"] ?? 20_261_121);
const RUNS_IN_A_WORLD = 30;
const TOKEN = "t0ken-that-nobody-may-see";
const SECRETS: readonly string[] = [API_KEY, TOKEN, Buffer.from(TOKEN).toString("base64")];

interface Scene {
  readonly provider: RunpodProvider;
  readonly key: string;
  /** A pod that stays, and a thing of this run alone. */
  readonly standing: string;
  readonly victim: string;
}

interface Subject {
  readonly name: string;
  readonly writes: boolean;
  /** The request whose answer is mutated. */
  readonly request: RegExp;
  /** What is made before: a pod or a volume. */
  readonly victim?: "pod" | "volume";
  readonly call: (scene: Scene) => Promise<unknown>;
}

const SIZE = 10_000_000_000;
const SUBJECTS: readonly Subject[] = [
  {
    name: "spawn",
    writes: true,
    request: /^POST .*\/pods$/,
    call: ({ provider, key }) =>
      provider.spawn({ key, spec: GPU, bootstrap: { script: "exit 0", registrationToken: TOKEN } }),
  },
  {
    name: "terminate",
    writes: true,
    victim: "pod",
    request: /^DELETE .*\/pods\//,
    call: ({ provider, victim }) => provider.terminate(victim),
  },
  {
    name: "stop",
    writes: true,
    victim: "pod",
    request: /^POST .*\/action$/,
    call: ({ provider, victim }) => provider.stop(victim),
  },
  {
    name: "createVolume",
    writes: true,
    request: /^POST .*\/network-volumes$/,
    call: ({ provider, key }) => provider.createVolume({ key, sizeBytes: SIZE }),
  },
  {
    name: "deleteVolume",
    writes: true,
    victim: "volume",
    request: /^DELETE .*\/network-volumes\//,
    call: ({ provider, victim }) => provider.deleteVolume(victim),
  },
  { name: "list", writes: false, request: /^GET .*\/pods$/, call: ({ provider }) => provider.list() },
  { name: "get", writes: false, request: /^GET .*\/pods\//, call: ({ provider, standing }) => provider.get(standing) },
  { name: "listVolumes", writes: false, request: /^GET .*volumes$/, call: ({ provider }) => provider.listVolumes() },
  {
    name: "placements",
    writes: false,
    request: /^GET .*\/gpus$/,
    call: ({ provider }) => provider.placements({ spec: GPU }),
  },
];

test(`${RUNS} answers mutated on the wire`, async () => {
  const random = seededRandom(SEED);
  const kinds = new Set<string>();
  for (let run = 0; run < RUNS; run += RUNS_IN_A_WORLD)
    await inOneWorld(random, Math.min(RUNS_IN_A_WORLD, RUNS - run), kinds);
  if (RUNS >= 1_000) expect([...kinds].sort()).toEqual(MUTATIONS.map(({ kind }) => kind).sort());
}, 600_000);

async function inOneWorld(random: SeededRandom, runs: number, kinds: Set<string>): Promise<void> {
  const { emulator, clock, provider: clean } = testWorld({ seed: random.whole(1_000_000) });
  let armed: { readonly request: RegExp; readonly mutation: Mutation } | null = null;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const now = armed;
    if (now?.request.test(`${init?.method} ${new URL(String(input)).pathname}`) !== true)
      return await emulator.fetch(input, init);
    const response = now.mutation.refuses === true ? new Response() : await emulator.fetch(input, init);
    // RunPod may repeat the request that it refuses; it knows no other.
    const repeated = now.request.test("POST /pods") ? [API_KEY, TOKEN] : [API_KEY];
    const answer = now.mutation.apply({ status: response.status, text: await response.text() }, random, repeated);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const said: unknown[] = [];
  const provider = runpod({
    apiKey: API_KEY,
    owner: "tests",
    readAfterWriteMs: 0,
    probe: false,
    requestsPerMinute: 1e6,
    requestsPerHour: 1e7,
    requestsPerDay: 1e8,
    runtime: { clock, fetch, onEvent: (event) => said.push(event) },
  });
  let keys = 0;
  const standing = (await clean.spawn({ key: "standing", spec: GPU })).id;
  await clean.createVolume({ key: "standing", sizeBytes: SIZE });

  for (let i = 0; i < runs; i += 1) {
    const subject = pick(random, SUBJECTS);
    const fitting = MUTATIONS.filter(({ only }) => only === undefined || only.includes(subject.name));
    const mutation = pick(random, fitting);
    const key = `key-${(keys += 1)}`;
    const victim = await victimOf(subject, clean, key);
    // A success without a body has nothing in it that could be changed.
    if (mutation.needsBody === true && subject.request.source.startsWith("^DELETE")) continue;
    kinds.add(mutation.kind);

    const before = emulator.changes;
    armed = { request: subject.request, mutation };
    const error = await failureOf(subject.call({ provider, key, standing, victim }));
    armed = null;
    const where = `seed ${SEED}: ${mutation.kind} at ${subject.name}`;
    expect({ where, code: error?.code ?? null }).toEqual({ where, code: mutation.code });
    if (error !== null) {
      const changed = emulator.changes !== before;
      if (changed) expect({ where, effect: error.effect }).not.toEqual({ where, effect: "none" });
      // What the API did not refuse in its own words is no proof of anything.
      else if (mutation.code !== "INTERNAL") expect({ where, effect: error.effect }).toEqual({ where, effect: "none" });
      const shown = [error.message, JSON.stringify(error), inspect(error, { depth: 6 }), JSON.stringify(said)].join(
        "\n",
      );
      for (const secret of SECRETS) expect(shown.includes(secret) ? where : null).toBeNull();
    }
    said.length = 0;
    const live = emulator.pods().filter(({ deletedAt }) => deletedAt === null);
    expect({ where, pods: ids(await provider.list()) }).toEqual({ where, pods: ids(live) });
    const volumes = emulator.volumes().filter(({ deletedAt }) => deletedAt === null);
    expect({ where, volumes: ids(await provider.listVolumes()) }).toEqual({ where, volumes: ids(volumes) });
  }
}

async function victimOf({ victim }: Subject, clean: RunpodProvider, key: string): Promise<string> {
  if (victim === "pod") return (await clean.spawn({ key, spec: GPU })).id;
  return victim === "volume" ? (await clean.createVolume({ key, sizeBytes: SIZE })).id : "";
}

async function failureOf(call: Promise<unknown>): Promise<ProviderError | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (isProviderError(error)) return error;
    throw error;
  }
}

function ids(things: readonly { readonly id: string }[]): readonly string[] {
  return things.map(({ id }) => id).sort();
}

function pick<T>(random: SeededRandom, values: readonly T[]): T {
  const value = values[random.whole(values.length)];
  if (value === undefined) throw new Error("there is nothing to pick from");
  return value;
}
