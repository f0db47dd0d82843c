import { type AnywhereFailpoint, launchAnywhere, memoryStore, terminateAndConfirm } from "@slipway/control";
import { isProviderError, nameFor, type Offering, type OfferingMethods, type Provider } from "@slipway/core";
import { gcp } from "@slipway/provider-gcp";
import { gcpEmulator } from "@slipway/provider-gcp/emulator";
import { type FaultScript, type FaultTiming, seededRandom, simulatedClock } from "@slipway/provider-kit/emulator";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { runpod } from "@slipway/provider-runpod";
import { runpodEmulator } from "@slipway/provider-runpod/emulator";

const OWNER = "anywhere";
const KEYS = ["a", "b"];
const LAG_MS = 3000;
const READ_AFTER_WRITE_MS = 5000;
const NEED = { cpus: 2, maxUsdPerHour: 0.4 };
const ZONES = ["us-central1-a", "us-central1-b"];
const REGIONS = ["us-west-1", "us-east-1"];
const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop";

type Seller = Provider & OfferingMethods;

interface Cloud {
  readonly provider: Seller;
  readonly faults: FaultScript;
  /** What really runs, past every lag. */
  readonly running: (key: string) => readonly string[];
  /** Is there any capacity from now on? */
  readonly setCapacity: (machines: number) => void;
  readonly setPrice: (usdPerHour: number) => void;
}

export interface CloudCounts {
  launched: number;
  failedOver: number;
  refused: number;
  killed: number;
  unclear: number;
  conflicts: number;
}

class Killed extends Error {}

/**
 * One seeded history over the emulators of lambda, runpod and gcp: two processes over one store launch two keys anywhere at
 * the same time, while prices change, capacity runs out, answers are lost and processes are killed. Throws where a key has
 * two instances at any time, or was launched at a higher price than the lowest of the offerings that its attempt read.
 */
export async function playClouds(seed: number, rounds = 4): Promise<CloudCounts> {
  const { next } = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const clock = simulatedClock();
  const clouds = [lambdaCloud(clock, seed), runpodCloud(clock, seed), gcpCloud(clock, seed)];
  const store = memoryStore();
  const counts: CloudCounts = { launched: 0, failedOver: 0, refused: 0, killed: 0, unclear: 0, conflicts: 0 };
  const check = (): void => {
    for (const key of KEYS) {
      const running = clouds.flatMap((cloud) => cloud.running(key).map((id) => `${cloud.provider.name} ${id}`));
      if (running.length > 1) throw new Error(`seed ${seed}: ${key} runs as ${running.join(" and ")}`);
    }
  };
  const attempt = async (key: string): Promise<void> => {
    const read = new Map<string, readonly Offering[]>();
    const providers = clouds.map(({ provider }) => ({
      ...provider,
      listOfferings: async (call?: Parameters<Seller["listOfferings"]>[0]) => {
        const offerings = await provider.listOfferings(call);
        read.set(provider.name, offerings);
        return offerings;
      },
    }));
    const dieAt = pick<AnywhereFailpoint | "never">([
      ...["never", "never", "never", "never"],
      ...(["after-choice", "after-intent", "after-spawn", "after-record", "before-next"] as const),
    ] as readonly (AnywhereFailpoint | "never")[]);
    const failpoint = async (name: AnywhereFailpoint): Promise<void> => {
      check();
      if (name === dieAt) throw new Killed();
      await clock.sleep(pick([1, 100, 5000]));
    };
    try {
      const made = await launchAnywhere(providers, { key, ...NEED }, { store, clock, failpoint });
      counts.launched += 1;
      if (made.tried.length > 0) counts.failedOver += 1;
      // An earlier attempt's choice reads nothing.
      if (read.size > 0 && made.tried.length === 0) mustBeCheapest(seed, made.place.price?.usdPerHour, read);
    } catch (error) {
      if (error instanceof Killed) counts.killed += 1;
      else if (!isProviderError(error)) throw error;
      else if (error.code === "CONFLICT") counts.conflicts += 1;
      else if (error.effect === "none") counts.refused += 1;
      else counts.unclear += 1;
    }
    check();
  };

  for (let round = 0; round < rounds; round += 1) {
    for (const { faults, setCapacity, setPrice } of clouds) {
      setPrice(pick([0.04, 0.08, 0.12, 0.2, 0.3, 0.5]));
      setCapacity(pick([0, 1, 10, 10]));
      faults.clear();
      const when = pick<FaultTiming | "none">(["none", "none", "reply-lost", "before", "after"]);
      if (when !== "none") faults.add({ operation: "spawn", when, code: "UNAVAILABLE" });
    }
    const [first, second] = [pick(KEYS), pick(KEYS)];
    await Promise.all([attempt(first), clock.sleep(pick([1, 200, 4000])).then(() => attempt(second))]);
    if (pick([true, false])) await end(clouds, first, { store, clock });
    check();
  }
  // Undisturbed, every key comes to exactly one.
  for (const { faults, setCapacity, setPrice } of clouds) {
    faults.clear();
    setCapacity(10);
    setPrice(0.1);
  }
  for (const key of KEYS) {
    await launchAnywhere(
      clouds.map(({ provider }) => provider),
      { key, ...NEED },
      { store, clock },
    );
    check();
    if (clouds.every(({ running }) => running(key).length === 0)) throw new Error(`seed ${seed}: ${key} does not run`);
  }
  return counts;
}

function mustBeCheapest(seed: number, paid: number | undefined, read: ReadonlyMap<string, readonly Offering[]>): void {
  const fitting = [...read.values()]
    .flat()
    .filter(({ resources, regions }) => (resources?.cpus ?? 0) >= NEED.cpus && regions?.length !== 0);
  const lowest = Math.min(...fitting.map(({ price }) => price?.usdPerHour ?? Number.MAX_VALUE));
  if (paid !== lowest) throw new Error(`seed ${seed}: ${paid} was paid, and ${lowest} was to be had`);
}

async function end(
  clouds: readonly Cloud[],
  key: string,
  control: Parameters<typeof terminateAndConfirm>[2],
): Promise<void> {
  for (const { provider } of clouds) {
    // As a person does who looks at what is there.
    for (const { id } of await provider.list({ keys: [key] })) await terminateAndConfirm(provider, id, control);
  }
}

type Clock = ReturnType<typeof simulatedClock>;

function lambdaCloud(clock: Clock, seed: number): Cloud {
  let cents = 20;
  const sshKeys = [{ name: "laptop", publicKey: PUBLIC_KEY }];
  const emulator = lambdaEmulator({ clock, seed, limits: null, readLagMs: LAG_MS, sshKeys });
  const { control } = emulator;
  // The emulator's prices stand still: the remote's answer is changed on its way.
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await emulator.fetch(input, init);
    if (!new URL(input instanceof Request ? input.url : input).pathname.endsWith("/instance-types")) return response;
    const text = (await response.text()).replaceAll('"price_cents_per_hour":20,', `"price_cents_per_hour":${cents},`);
    return new Response(text, { status: response.status, headers: response.headers });
  };
  const provider = lambda({
    apiKey: EMULATOR_API_KEY,
    owner: OWNER,
    regions: REGIONS,
    sshKeyName: "laptop",
    requestsPerSecond: 1_000,
    secondsPerLaunch: 0.001,
    readAfterWriteMs: READ_AFTER_WRITE_MS,
    runtime: { clock, fetch },
  });
  return {
    provider,
    faults: control.faults,
    running: (key) =>
      control.instances().flatMap((one) => (one.live && one.owner === OWNER && one.key === key ? [one.nativeId] : [])),
    setCapacity: (machines) => {
      for (const region of REGIONS) control.setCapacity("cpu_4x_general", region, machines);
    },
    setPrice: (usdPerHour) => {
      cents = Math.round(usdPerHour * 100);
    },
  };
}

function runpodCloud(clock: Clock, seed: number): Cloud {
  const cpu = { id: "cpu3g", name: "General", vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 4, securePerVcpu: 0.04 };
  const emulator = runpodEmulator({ clock, seed, rates: null, listLagMs: LAG_MS, cpus: [cpu] });
  const provider = runpod({
    apiKey: "runpod-key",
    owner: OWNER,
    readAfterWriteMs: READ_AFTER_WRITE_MS,
    probe: false,
    requestsPerMinute: 1e6,
    requestsPerHour: 1e7,
    requestsPerDay: 1e8,
    runtime: { clock, fetch: emulator.fetch },
  });
  return {
    provider,
    faults: emulator.faults,
    running: (key) =>
      emulator
        .pods()
        .flatMap((pod) => (pod.deletedAt === null && pod.request.name === nameFor(OWNER, key) ? [pod.id] : [])),
    setCapacity: (units) => emulator.setStock({ units: units * 2 }),
    setPrice: (usdPerHour) => {
      cpu.securePerVcpu = usdPerHour / 2;
    },
  };
}

function gcpCloud(clock: Clock, seed: number): Cloud {
  const emulator = gcpEmulator({ clock, seed, tokens: ["gcp-token"], project: "anywhere", listLagMs: LAG_MS });
  const { control } = emulator;
  const provider = gcp({
    project: "anywhere",
    accessToken: async () => "gcp-token",
    owner: OWNER,
    zones: ZONES,
    readAfterWriteMs: READ_AFTER_WRITE_MS,
    runtime: { clock, fetch: emulator.fetch },
  });
  return {
    provider,
    faults: control.faults,
    running: (key) =>
      control.instances().flatMap((one) => (one.live && one.owner === OWNER && one.key === key ? [one.nativeId] : [])),
    setCapacity: (machines) => {
      for (const zone of ZONES) {
        for (const type of ["e2-standard-2", "e2-standard-4"]) control.setCapacity(type, zone, machines);
      }
    },
    // Google's price list is read twice a day.
    setPrice: () => undefined,
  };
}
