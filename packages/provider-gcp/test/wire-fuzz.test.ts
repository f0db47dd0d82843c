import { isProviderError, type ProviderError } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { gcpEmulator } from "../emulator/index.ts";
import { type GcpProvider, gcp } from "../src/index.ts";
import { PROJECT, runtimeOf, TOKEN } from "./gcp-harness.ts";
import { MUTATIONS } from "./wire-mutations.ts";

// 120 in `npm test`, 500 in `npm run soak:suite`, 20 000 in `npm run soak:gcp`; the seed is printed where it fails.
const RUNS = Number(process.env["SLIPWAY_FUZZ_RUNS"] ?? 120);
const SEED = Number(process.env["SLIPWAY_FUZZ_SEED"] ?? 20_261_129);
const SECRET = "t0ken-that-nobody-may-see";
const SECRETS = [TOKEN, SECRET];

interface Subject {
  readonly name: string;
  /** The request whose answer is mutated. */
  readonly request: RegExp;
  readonly call: (provider: GcpProvider, id: string) => Promise<unknown>;
}

const SUBJECTS: readonly Subject[] = [
  { name: "spawn", request: /^POST .*\/instances$/, call: (provider) => spawn(provider) },
  { name: "spawn, at its operation", request: /^POST .*\/wait$/, call: (provider) => spawn(provider) },
  { name: "spawn, at its lookup", request: /^GET .*\/aggregated\/instances$/, call: (provider) => spawn(provider) },
  { name: "terminate", request: /^DELETE .*$/, call: (provider, id) => provider.terminate(id) },
  {
    name: "terminate, at its operation",
    request: /^GET .*\/operations.*$/,
    call: (provider, id) => provider.terminate(id),
  },
  {
    name: "createVolume",
    request: /^POST .*\/disks$/,
    call: (provider) => provider.createVolume({ key: "data", sizeBytes: 10 * 1024 ** 3 }),
  },
  {
    name: "createSnapshot",
    request: /^POST .*\/machineImages$/,
    call: (provider, id) => provider.createSnapshot(id, { key: "copy" }),
  },
  { name: "listSnapshots", request: /^GET .*\/machineImages$/, call: (provider) => provider.listSnapshots() },
  { name: "hibernate", request: /^POST .*\/suspend$/, call: (provider, id) => provider.hibernate(id) },
  {
    name: "readBootstrap",
    request: /^GET .*\/getGuestAttributes$/,
    call: (provider, id) => provider.readBootstrap(id),
  },
  { name: "list", request: /^GET .*\/aggregated\/instances$/, call: (provider) => provider.list() },
  { name: "get", request: /^GET .*\/instances\/.+$/, call: (provider, id) => provider.get(id) },
];

const spawn = (provider: GcpProvider) =>
  provider.spawn({ key: "subject", bootstrap: { script: "exit 0", registrationToken: SECRET } });

test(
  `${RUNS} answers mutated on the wire`,
  async () => {
    const random = seededRandom(SEED);
    const tried = new Set<string>();
    for (let run = 0; run < RUNS; run += 1) {
      const subject = SUBJECTS[random.whole(SUBJECTS.length)];
      const mutation = MUTATIONS[random.whole(MUTATIONS.length)];
      if (subject === undefined || mutation === undefined) continue;
      const times = random.next() < 0.5 ? 1 : Number.POSITIVE_INFINITY;
      const where = `seed ${SEED}, run ${run}: ${mutation.kind} at ${subject.name}, ${times} times`;
      tried.add(`${mutation.kind} ${subject.name}`);
      const transcript: string[] = [];
      const emulator = gcpEmulator({ tokens: [TOKEN], project: PROJECT, latencyMs: 1, seed: run });
      let left = 0;
      const fetch: typeof globalThis.fetch = async (input, init) => {
        const isMeant = subject.request.test(`${init?.method} ${new URL(String(input)).pathname}`);
        if (left === 0 || !isMeant) return await emulator.fetch(input, init);
        left -= 1;
        const response = mutation.refuses === true ? new Response("{}") : await emulator.fetch(input, init);
        // Google may repeat what a request holds; it knows nothing else.
        const repeated = subject.request.test("POST /instances") ? SECRETS : [TOKEN];
        const answer = mutation.apply({ status: response.status, text: await response.text() }, random, repeated);
        if (answer instanceof Error) throw answer;
        return answer;
      };
      const provider = gcp({
        project: PROJECT,
        accessToken: async () => TOKEN,
        owner: "fuzz",
        zones: ["us-central1-a"],
        readAfterWriteMs: 0,
        runtime: { ...runtimeOf(emulator, transcript), fetch },
      });
      const { id, nativeId } = await provider.spawn({
        key: "standing",
        hibernation: true,
        bootstrap: { script: "exit 0" },
      });
      emulator.control.writeGuestAttribute(nativeId, "slipway/bootstrap", "slipway-bootstrap 1\nstate=running\n");
      const live = () => emulator.control.instances().filter((one) => one.live && one.status !== "STOPPING");
      left = times;
      const error = await settled(subject.call(provider, id));
      left = 0;

      expect({ where, known: error === null || mutation.codes.includes(error.code), code: error?.code }).toEqual({
        where,
        known: true,
        code: error?.code,
      });
      const made = live().some(({ key }) => key === "subject");
      const ended = !live().some((one) => one.nativeId === nativeId);
      // Done, and said so; or not done, and not claimed.
      if (error?.effect === "none") expect({ where, made, ended }).toEqual({ where, made: false, ended: false });
      if (error === null && subject.name.startsWith("spawn")) expect({ where, made }).toEqual({ where, made: true });
      if (error === null && subject.name.startsWith("terminate"))
        expect({ where, ended }).toEqual({ where, ended: true });
      const shown = `${error?.message} ${JSON.stringify(error)} ${String(error?.stack)} ${transcript.join("\n")}`;
      for (const secret of SECRETS) expect({ where, shows: shown.includes(secret) }).toEqual({ where, shows: false });
      await emulator.clock.sleep(120_000);
      const held = emulator.control
        .instances()
        .filter((one) => one.live)
        .map((one) => one.nativeId);
      expect({ where, listed: (await provider.list()).map((one) => one.nativeId).sort() }).toEqual({
        where,
        listed: held.sort(),
      });
    }
    // Hardly a pair was left out.
    if (RUNS >= 500) expect(tried.size).toBeGreaterThan(MUTATIONS.length * SUBJECTS.length * 0.85);
  },
  Math.max(300_000, RUNS * 500),
);

async function settled(call: Promise<unknown>): Promise<ProviderError | null> {
  try {
    await call;
    return null;
  } catch (error) {
    if (isProviderError(error)) return error;
    throw error;
  }
}
