import { type CallOptions, type Clock, isProviderError, type Provider } from "@slipway/core";
import { aws } from "@slipway/provider-aws";
import { EMULATOR_CREDENTIALS, ec2Emulator } from "@slipway/provider-aws/emulator";
import { gcp } from "@slipway/provider-gcp";
import { EMULATOR_PROJECT, EMULATOR_TOKEN, gcpEmulator } from "@slipway/provider-gcp/emulator";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { runpod } from "@slipway/provider-runpod";
import { runpodEmulator } from "@slipway/provider-runpod/emulator";
import { describe, expect, test } from "vitest";

const MOST_REQUESTS = 40;
const SETTLED_MS = 3_600_000;
const SSH_KEY = { name: "laptop", publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop" };

type Fetch = typeof globalThis.fetch;

/** An account at a remote in this process. */
interface Account {
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** A process of its own that works with the account. */
  readonly open: (fetch: Fetch) => Pick<Provider, "terminate"> & {
    readonly spawn: (call: CallOptions) => Promise<{ readonly id: string; readonly nativeId: string }>;
  };
  /** What runs, by the remote's own ids. */
  readonly live: () => readonly string[];
}

const ACCOUNTS: Readonly<Record<string, () => Account>> = {
  aws: () => {
    const { clock, fetch, control } = ec2Emulator({ limits: null });
    const options = { owner: "tests", regions: ["us-east-1"], credentials: { ...EMULATOR_CREDENTIALS } };
    return {
      ...{ clock, fetch },
      open: (own) => spawning(aws({ ...options, runtime: { clock, fetch: own } }), { spec: "t3.micro" }),
      live: () => control.instances().flatMap(({ id, live }) => (live ? [id] : [])),
    };
  },
  gcp: () => {
    const { clock, fetch, control } = gcpEmulator();
    const options = { owner: "tests", project: EMULATOR_PROJECT, accessToken: async () => EMULATOR_TOKEN };
    const isLive = ({ status }: { readonly status: string }) => !/^(STOPPING|TERMINATED)$/.test(status);
    return {
      ...{ clock, fetch },
      open: (own) => spawning(gcp({ ...options, zones: ["us-central1-a"], runtime: { clock, fetch: own } }), {}),
      live: () => control.instances().flatMap((one) => (isLive(one) ? [one.nativeId] : [])),
    };
  },
  lambda: () => {
    const { clock, fetch, control } = lambdaEmulator({ limits: null, readLagMs: 3_000, sshKeys: [SSH_KEY] });
    const options = { owner: "tests", apiKey: EMULATOR_API_KEY, regions: ["us-east-1"], sshKeyName: SSH_KEY.name };
    return {
      ...{ clock, fetch },
      open: (own) => spawning(lambda({ ...options, runtime: { clock, fetch: own } }), { spec: "gpu_1x_a10" }),
      live: () => control.instances().flatMap(({ nativeId, live }) => (live ? [nativeId] : [])),
    };
  },
  runpod: () => {
    const { clock, fetch, pods } = runpodEmulator({ apiKeys: ["key"], rates: null });
    const options = { owner: "tests", apiKey: "key", probe: false };
    return {
      ...{ clock, fetch },
      open: (own) =>
        spawning(runpod({ ...options, runtime: { clock, fetch: own } }), {
          spec: "NVIDIA GeForce RTX 4090",
          sshKeys: [SSH_KEY.publicKey],
        }),
      live: () => pods().flatMap(({ id, deletedAt }) => (deletedAt === null ? [id] : [])),
    };
  },
};

function spawning<O extends object>(
  provider: Pick<Provider, "terminate"> & {
    readonly spawn: (options: O & { readonly key: string } & CallOptions) => Promise<{ id: string; nativeId: string }>;
  },
  options: O,
): ReturnType<Account["open"]> {
  return {
    spawn: (call) => provider.spawn({ ...options, key: "k", ...call }),
    terminate: (id, call) => provider.terminate(id, call),
  };
}

/** A process whose caller aborts at its nth request: before it is sent, or once it is done and not answered. */
function abortedAt(at: number, when: "before" | "after", { fetch, open }: Account) {
  const stop = new AbortController();
  let asked = 0;
  const provider = open(async (input, init) => {
    asked += 1;
    if (asked === at && when === "before") stop.abort();
    stop.signal.throwIfAborted();
    const answer = await fetch(input, init);
    if (asked === at) stop.abort();
    stop.signal.throwIfAborted();
    return answer;
  });
  return { provider, signal: stop.signal, wasReached: () => asked >= at };
}

/** What the call says that it did: null where it succeeded. */
async function effectOf(call: Promise<unknown>) {
  return await call.then(
    () => "applied",
    (error: unknown) => {
      if (isProviderError(error)) return error.effect;
      throw error;
    },
  );
}

describe.each(Object.keys(ACCOUNTS))("on %s", (name) => {
  const account = (): Account => {
    const open = ACCOUNTS[name];
    if (open === undefined) throw new Error(`no account ${name}`);
    return open();
  };

  test.each(["before", "after"] as const)(
    "a spawn that is aborted %s each of its requests says what is there",
    async (when) => {
      let at = 1;
      for (; at < MOST_REQUESTS; at += 1) {
        const remote = account();
        const { provider, signal, wasReached } = abortedAt(at, when, remote);
        const effect = await effectOf(provider.spawn({ signal }));
        await remote.clock.sleep(SETTLED_MS);
        if (!wasReached()) break;
        if (effect === "none") expect(remote.live(), `at request ${at}`).toEqual([]);
        if (effect === "applied") expect(remote.live(), `at request ${at}`).toHaveLength(1);
        const { nativeId } = await remote.open(remote.fetch).spawn({});
        expect(remote.live(), `at request ${at}`).toEqual([nativeId]);
      }
      expect(at).toBeGreaterThan(2);
      expect(at).toBeLessThan(MOST_REQUESTS);
    },
  );

  test.each(["before", "after"] as const)(
    "a terminate that is aborted %s each of its requests says what is there",
    async (when) => {
      let at = 1;
      for (; at < MOST_REQUESTS; at += 1) {
        const remote = account();
        const other = remote.open(remote.fetch);
        const { id } = await other.spawn({});
        await remote.clock.sleep(60_000);
        const { provider, signal, wasReached } = abortedAt(at, when, remote);
        const effect = await effectOf(provider.terminate(id, { signal }));
        await remote.clock.sleep(SETTLED_MS);
        if (!wasReached()) break;
        if (effect === "none") expect(remote.live(), `at request ${at}`).toHaveLength(1);
        if (effect === "applied") expect(remote.live(), `at request ${at}`).toEqual([]);
        await remote.open(remote.fetch).terminate(id);
        await remote.clock.sleep(SETTLED_MS);
        expect(remote.live(), `at request ${at}`).toEqual([]);
      }
      expect(at).toBeGreaterThan(1);
      expect(at).toBeLessThan(MOST_REQUESTS);
    },
  );
});
