import { isProviderError, type Pacing, ProviderError, runtimeDefaults, type Schema } from "@slipway/core";
import { type Call, singleFlight } from "@slipway/provider-kit/driver";
import { bearerToken, type HttpAnswer, type HttpCall, httpClient } from "@slipway/provider-kit/http";
import { batchedCalls, limits } from "@slipway/provider-kit/limits";
import { meaningOf } from "./errors.ts";
import { DEFAULT_BASE_URL, type LambdaOptions, type LambdaSettings } from "./options.ts";
import { VERSION } from "./package-version.ts";
import { PROVIDER } from "./remote.ts";
import {
  doneAnswer,
  fileSystemAnswer,
  fileSystemsAnswer,
  instanceAnswer,
  instancesAnswer,
  type LaunchBody,
  launchAnswer,
  offeringsAnswer,
  sshKeyAnswer,
  sshKeysAnswer,
  terminateAnswer,
  type WireFileSystem,
  type WireInstance,
  type WireOffering,
  type WireSshKey,
  wireError,
} from "./wire.ts";

/** The only thing that speaks to Lambda. Reads of whole lists are shared by callers who ask at the same time. */
export interface LambdaClient {
  readonly instances: (call: Call) => Promise<readonly WireInstance[]>;
  /** Null only if Lambda says that there is none. */
  readonly instance: (call: Call, id: string) => Promise<WireInstance | null>;
  readonly offerings: (call: Call) => Promise<Readonly<Record<string, WireOffering>>>;
  readonly sshKeys: (call: Call) => Promise<readonly WireSshKey[]>;
  readonly fileSystems: (call: Call) => Promise<readonly WireFileSystem[]>;
  /** Answers the id: it is all that Lambda tells. `onSent` is called when the launch's turn in the budget has come. */
  readonly launch: (
    call: Call,
    body: LaunchBody,
    options: { readonly secrets: readonly string[]; readonly onSent: () => void },
  ) => Promise<string>;
  /** `gone` only if Lambda says that there is none. */
  readonly terminate: (call: Call, id: string) => Promise<Removed>;
  readonly addSshKey: (call: Call, name: string, publicKey: string) => Promise<WireSshKey>;
  readonly deleteSshKey: (call: Call, id: string) => Promise<Removed>;
  readonly createFileSystem: (call: Call, name: string, region: string) => Promise<WireFileSystem>;
  readonly deleteFileSystem: (call: Call, id: string) => Promise<Removed>;
}

export type Removed = "accepted" | "gone";

// A launch is slow at times, and whoever gives up on it does not know what became of it.
export const LAUNCH_TIMEOUT_MS = 120_000;
const ATTEMPTS = 6;
// Lambda names no limit. If one of so many is not there, all are asked for alone.
const MOST_ENDED_AT_ONCE = 50;

export function lambdaClient(options: LambdaSettings): LambdaClient {
  const { apiKey, baseUrl = DEFAULT_BASE_URL, runtime } = options;
  const credential = bearerToken(apiKey);
  const shared = singleFlight(PROVIDER);
  const { account } = credential;
  const { pacing, batched } = batchedCalls(runtime?.limits ?? ownLimits(options), { provider: PROVIDER, account });
  const http = httpClient({
    provider: PROVIDER,
    baseUrl,
    ...credential,
    // Cloudflare refuses clients without a name of their own.
    userAgent: `slipway-provider-lambda/${VERSION}`,
    meaningOf,
    isNotFound,
    runtime,
    attempts: ATTEMPTS,
    limits: {
      acquire: async (bucket, acquiring) => {
        await pacing.acquire(bucket, acquiring);
        shared.sent(bucket.operation);
      },
      defer: (bucket, ms) => pacing.defer(bucket, ms),
    },
  });

  const reading = async <T, R>(read: (call: HttpCall<T>) => Promise<R>, call: HttpCall<T>): Promise<R> => {
    try {
      return await read(call);
    } catch (error) {
      // A success that cannot be read, as after a proxy cut it off: reading again changes nothing.
      const status = isProviderError(error, "INTERNAL") ? error.native?.status : undefined;
      if (status === undefined || status >= 300 || call.signal?.aborted === true) throw error;
      return await read(call);
    }
  };
  const list =
    <T>(bucket: string, path: string, answer: Schema<T>) =>
    (call: Call): Promise<T> =>
      shared.read(bucket, call, (signal) =>
        reading<T, T>(http.call, { ...call, signal, method: "GET", path, answer, bucket }),
      );
  const instances = list("instances", "instances", instancesAnswer);

  const instance = async (call: Call, id: string): Promise<WireInstance | null> => {
    const path = `instances/${encodeURIComponent(id)}`;
    try {
      return await reading(http.find, { ...call, method: "GET", path, answer: instanceAnswer, bucket: "instance" });
    } catch (error) {
      if (!isProviderError(error) || error.native?.code !== UNKNOWN_ROUTE) throw error;
      return (await instances(call)).find((one) => one.id === id) ?? null;
    }
  };
  const listed = async (call: Call): Promise<ReadonlyMap<string, WireInstance | null>> => {
    const rows = { ...call, method: "GET" as const, path: "instances", answer: instancesAnswer, bucket: "instance" };
    return new Map((await reading(http.call, rows)).map((one) => [one.id, one]));
  };
  /** The ids that Lambda says it ends; null if it says that one of them is not there. */
  const ended = (call: Call, ids: readonly string[]): Promise<readonly string[] | null> => {
    const path = "instance-operations/terminate";
    const more = { body: { instance_ids: ids }, answer: terminateAnswer, bucket: "terminate" };
    return http.find({ ...call, method: "POST", path, ...more });
  };
  const terminate = async (call: Call, id: string): Promise<Removed> => {
    const found = await ended(call, [id]);
    if (found === null) return "gone";
    if (found.includes(id)) return "accepted";
    throw new ProviderError("INTERNAL", {
      message: `Lambda accepted the end of ${found.join(", ") || "nothing"}, and ${id} was asked for`,
      provider: PROVIDER,
      operation: call.operation,
      effect: "unknown",
    });
  };
  const terminateAll = async (call: Call, ids: readonly string[]): Promise<ReadonlyMap<string, Removed>> => {
    try {
      // One id that is not there refuses all of them: then each is asked for alone.
      return new Map(((await ended(call, ids)) ?? []).map((id) => [id, "accepted"]));
    } catch (error) {
      if (!isProviderError(error) || call.signal?.aborted === true || !mayBeOfOne(error)) throw error;
      return new Map();
    }
  };

  const removed = async (call: HttpCall<unknown>): Promise<Removed> =>
    (await http.find(call)) === null ? "gone" : "accepted";

  return {
    instances,
    offerings: list("instance-types", "instance-types", offeringsAnswer),
    sshKeys: list("ssh-keys", "ssh-keys", sshKeysAnswer),
    fileSystems: list("file-systems", "file-systems", fileSystemsAnswer),
    instance: batched({ bucket: "instance", alone: instance, together: listed, effect: "none" }),
    launch: (call, body, { secrets, onSent }) => {
      const [path, timeoutMs] = ["instance-operations/launch", LAUNCH_TIMEOUT_MS];
      const more = { body, answer: launchAnswer, bucket: "launch", timeoutMs, secrets, onSent };
      return http.call({ ...call, method: "POST", path, ...more });
    },
    terminate: batched({
      bucket: "terminate",
      alone: terminate,
      together: terminateAll,
      effect: "unknown",
      most: MOST_ENDED_AT_ONCE,
    }),
    addSshKey: (call, name, publicKey) => {
      const body = { name, public_key: publicKey };
      return http.call({ ...call, method: "POST", path: "ssh-keys", body, answer: sshKeyAnswer, bucket: "ssh-key" });
    },
    deleteSshKey: (call, id) => {
      const path = `ssh-keys/${encodeURIComponent(id)}`;
      return removed({ ...call, method: "DELETE", path, answer: doneAnswer, bucket: "ssh-key" });
    },
    createFileSystem: (call, name, region) => {
      const body = { name, region };
      const [path, bucket] = ["filesystems", "filesystem"];
      return http.call({ ...call, method: "POST", path, body, answer: fileSystemAnswer, bucket });
    },
    deleteFileSystem: (call, id) => {
      const path = `filesystems/${encodeURIComponent(id)}`;
      return removed({ ...call, method: "DELETE", path, answer: doneAnswer, bucket: "filesystem" });
    },
  };
}

const OBJECT_UNKNOWN = "global/object-does-not-exist";
// Also the answer to a path that Lambda does not have, so that it alone says nothing of the instance.
const UNKNOWN_ROUTE = "global/not-found";

/** May it be the answer to one id among several? Lambda says no more of it, and each id has to be asked for alone. */
function mayBeOfOne({ scope, code, native }: ProviderError): boolean {
  // Also the answer to the second end of one instance.
  return native?.code === "global/unknown" || (scope === "request" && code !== "AUTH_ERROR");
}

/** Lambda's own words that the thing is not there. Its document says to go by the code, whatever the status. */
function isNotFound({ json }: HttpAnswer): boolean {
  return wireError(json)?.code === OBJECT_UNKNOWN;
}

/** The published limits; both settings are the account's, so several providers of one account share one object. */
function ownLimits({ requestsPerSecond = 1, secondsPerLaunch = 12, runtime }: LambdaOptions): Pacing {
  const { clock, onEvent } = runtimeDefaults(runtime);
  return limits({
    clock,
    onEvent,
    provider: PROVIDER,
    buckets: [
      { operation: "*", capacity: 1, refillPerSecond: requestsPerSecond },
      { operation: "launch", capacity: 1, refillPerSecond: 1 / secondsPerLaunch },
    ],
  });
}
