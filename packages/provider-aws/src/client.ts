import {
  type Clock,
  checksumOf,
  isProviderError,
  type Pacing,
  type ProviderError,
  reportRemoteDate,
  runtimeDefaults,
  timestamp,
} from "@slipway/core";
import { keyedMutex } from "@slipway/provider-kit/limits";
import { type Call, everyPage, PROVIDER } from "./call.ts";
import { abandoned, failureOf } from "./call-failure.ts";
import { type Exchange, fetchHandler } from "./exchange.ts";
import { type AwsOptions, DEFAULT_SHARE } from "./options.ts";
import { awsSdk, type Service } from "./sdk.ts";
import { instancesBucket, tokenBuckets } from "./token-buckets.ts";
import {
  ACTIONS,
  type CostExplorerActions,
  type Ec2Actions,
  type InputOf,
  isWrite,
  type OutputOf,
  type PagedAction,
  type PricingActions,
  type SsmActions,
  type StsActions,
} from "./wire.ts";

/** What a request is beyond its parameters. */
export interface SendOptions {
  /** How many instances it is about, for the budget that counts those; 1 if absent. */
  readonly instances?: number | undefined;
  /** Texts that must not show anywhere. */
  readonly secrets?: readonly string[] | undefined;
}

/**
 * The only thing that speaks to AWS: paced by the account's published limits, bounded in time, and honest about effects.
 * A request that was throttled is sent again, and a read that failed in passing too; a write never, where it is not
 * known what became of it.
 */
export interface AwsClient {
  readonly send: <A extends keyof Ec2Actions>(
    call: Call,
    region: string,
    action: A,
    input: InputOf<Ec2Actions, A>,
    options?: SendOptions,
  ) => Promise<OutputOf<Ec2Actions, A>>;
  /** All items of a listing, page after page. */
  readonly all: <A extends PagedAction, Item>(
    call: Call,
    region: string,
    action: A,
    input: Ec2Actions[A][0],
    itemsOf: (page: Ec2Actions[A][1]) => readonly Item[] | undefined,
  ) => Promise<readonly Item[]>;
  readonly pricing: <A extends keyof PricingActions>(
    call: Call,
    action: A,
    input: InputOf<PricingActions, A>,
  ) => Promise<OutputOf<PricingActions, A>>;
  /** Every call costs 0.01 US dollars. */
  readonly costExplorer: <A extends keyof CostExplorerActions>(
    call: Call,
    action: A,
    input: InputOf<CostExplorerActions, A>,
  ) => Promise<OutputOf<CostExplorerActions, A>>;
  readonly ssm: <A extends keyof SsmActions>(
    call: Call,
    region: string,
    action: A,
    input: InputOf<SsmActions, A>,
  ) => Promise<OutputOf<SsmActions, A>>;
  readonly sts: <A extends keyof StsActions>(
    call: Call,
    region: string,
    action: A,
    input: InputOf<StsActions, A>,
  ) => Promise<OutputOf<StsActions, A>>;
}

const READ_TIMEOUT_MS = 30_000;
// Whoever gives up on a write does not know what became of it.
export const WRITE_TIMEOUT_MS = 120_000;
// What fails in passing either passes soon or not at all; a throttled request is taken in the end.
const THROTTLED_ATTEMPTS = 5;
const ATTEMPTS = 5;
const BACKOFF_MS = [500, 1_000, 2_000, 4_000];
const LONGEST_BACKOFF_MS = 8_000;

interface Request {
  readonly call: Call;
  readonly action: string;
  readonly input: object;
  readonly options: SendOptions;
  readonly service: () => Promise<Service>;
}

export function awsClient(options: AwsOptions): AwsClient {
  const { endpoint, credentials, share = DEFAULT_SHARE } = options;
  const runtime = runtimeDefaults(options.runtime);
  const { clock, fetch, onEvent } = runtime;
  const onDate = (headers: Headers, sentAt: number): void =>
    reportRemoteDate(runtime, headers, { provider: PROVIDER, sentAt, receivedAt: clock.now() });
  const pacing: Pacing = options.runtime?.limits ?? tokenBuckets({ actions: ACTIONS, share, clock, onEvent });
  const exchanges = new WeakMap<object, Exchange>();
  const exchangeOf = (signal: unknown): Exchange | undefined =>
    typeof signal === "object" && signal !== null ? exchanges.get(signal) : undefined;
  // Budgets of the caller's own count calls. A batch of many would exceed the largest of them for ever.
  const countsInstances = options.runtime?.limits === undefined;
  const sdk = awsSdk({ endpoint, credentials, requestHandler: fetchHandler({ fetch, exchangeOf, onDate, clock }) });
  // Tells accounts apart, and does not lead back to the key.
  const account = credentials === undefined ? "default" : checksumOf(credentials.accessKeyId).slice(7, 19);
  const ownSecrets = [credentials?.secretAccessKey, credentials?.sessionToken].filter((one) => one !== undefined);

  const queued = keyedMutex(PROVIDER);

  async function request(wanted: Request): Promise<object> {
    const service = await loaded(wanted);
    const bucket = { account: `${account}/${service.region}`, operation: wanted.action };
    try {
      return await tried(wanted, service, bucket);
    } catch (error) {
      if (!isProviderError(error, "RATE_LIMIT_ERROR")) throw error;
      // Those who were throttled go one after the other: all at once they would be throttled again.
      return await queued(`${bucket.account} ${bucket.operation}`, wanted.call, () =>
        throttled(wanted, service, bucket),
      );
    }
  }

  async function throttled(wanted: Request, service: Service, bucket: Bucket): Promise<object> {
    for (let attempt = 1; ; attempt += 1) {
      // Everyone who draws on the bucket waits, this request among them.
      pacing.defer(bucket, BACKOFF_MS[attempt - 1] ?? LONGEST_BACKOFF_MS);
      try {
        return await tried(wanted, service, bucket);
      } catch (error) {
        if (attempt >= THROTTLED_ATTEMPTS || !isProviderError(error, "RATE_LIMIT_ERROR")) throw error;
      }
    }
  }

  /** What fails in passing, and changed nothing, is tried again. */
  async function tried(wanted: Request, service: Service, bucket: Bucket): Promise<object> {
    for (let attempt = 1; ; attempt += 1) {
      await waitForBucket(wanted, bucket);
      try {
        return await sendOnce(wanted, service);
      } catch (error) {
        const failure = error as ProviderError; // `once` throws nothing else
        if (attempt >= ATTEMPTS || !mayTryAgain(failure, wanted.call, attempt)) throw failure;
        await pause(wanted, failure, BACKOFF_MS[attempt - 1] ?? LONGEST_BACKOFF_MS);
      }
    }
  }

  async function loaded({ service, call, options: { secrets = [] } }: Request): Promise<Service> {
    try {
      // Profiles, roles and programs that tell credentials may take their time, or for ever.
      return await abortable(service(), call.signal);
    } catch (error) {
      if (call.signal?.aborted === true) throw abandoned(call, error);
      throw failureOf(error, { call, writes: false, exchange: { sent: false }, secrets: [...ownSecrets, ...secrets] });
    }
  }

  async function waitForBucket({ call, action, options: { instances = 1 } }: Request, bucket: Bucket): Promise<void> {
    const { signal } = call;
    const counted = countsInstances ? instancesBucket(action) : undefined;
    try {
      await pacing.acquire(bucket, { signal });
      if (counted !== undefined) {
        await pacing.acquire({ account: bucket.account, operation: counted }, { cost: instances, signal });
      }
    } catch (error) {
      throw abandoned(call, error);
    }
  }

  async function sendOnce({ call, action, input, options: more }: Request, service: Service): Promise<object> {
    const writes = isWrite(action);
    const limit = requestLimit(clock, writes ? WRITE_TIMEOUT_MS : READ_TIMEOUT_MS, call.signal);
    const exchange: Exchange = { sent: false, onSent: limit.begin };
    exchanges.set(limit.signal, exchange);
    try {
      return await abortable(service.send(action, input, limit.signal), limit.signal);
    } catch (error) {
      const secrets = [...ownSecrets, ...(more.secrets ?? [])];
      throw failureOf(error, { call, writes, exchange, secrets, signal: limit.signal });
    } finally {
      limit.release();
    }
  }

  async function pause({ call, action }: Request, failure: ProviderError, ms: number): Promise<void> {
    onEvent({ type: "wait", at: timestamp(clock), provider: PROVIDER, operation: action, reason: "retry-after", ms });
    try {
      await clock.sleep(ms, call.signal);
    } catch (error) {
      throw call.signal === undefined ? failure : abandoned(call, error);
    }
  }

  // The tables of actions say what each takes and answers; the SDK's commands keep to them.
  const typed = <I, O>(call: Call, action: string, input: I, service: Request["service"], more: SendOptions = {}) =>
    request({ call, action, input: input as object, options: more, service }) as Promise<O>;
  return {
    send: (call, region, action, input, more) => typed(call, action, input, () => sdk.ec2(region), more),
    all: (call, region, action, input, itemsOf) =>
      everyPage(call, (token) => typed(call, action, { ...input, ...token }, () => sdk.ec2(region)), itemsOf),
    pricing: (call, action, input) => typed(call, action, input, () => sdk.pricing()),
    costExplorer: (call, action, input) => typed(call, action, input, () => sdk.costExplorer()),
    ssm: (call, region, action, input) => typed(call, action, input, () => sdk.ssm(region)),
    sts: (call, region, action, input) => typed(call, action, input, () => sdk.sts(region)),
  };
}

interface Bucket {
  readonly account: string;
  readonly operation: string;
}

const WRONG_CLOCK = /^Request(Expired|InTheFuture|TimeTooSkewed)$/;

function mayTryAgain(failure: ProviderError, { signal }: Call, attempt: number): boolean {
  if (failure.code === "RATE_LIMIT_ERROR" || failure.category === "capacity") return false;
  // The SDK has set its clock by the answer: once more is enough.
  if (attempt === 1 && WRONG_CLOCK.test(failure.native?.code ?? "")) return signal?.aborted !== true;
  return failure.retryable && failure.effect === "none" && signal?.aborted !== true;
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it is aborted, whatever `work` goes on doing. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** The time that one request may take, counted from the moment when it is sent. */
interface RequestLimit {
  readonly signal: AbortSignal;
  /** It is sent now. What the SDK does before that is no waiting for AWS. */
  readonly begin: () => void;
  /** To be called when the request is over, or the clock would keep counting. */
  readonly release: () => void;
}

// Without a reason of its own each abort would make an exception with its stack, for every request.
const RELEASED = new Error("released");

/** Joins the caller's signal and the limit: past it the signal's reason is a `TimeoutError`. */
function requestLimit(clock: Clock, timeoutMs: number, given: AbortSignal | undefined): RequestLimit {
  const controller = new AbortController();
  const stop = new AbortController();
  const onAbort = (): void => controller.abort(given?.reason);
  if (given?.aborted === true) onAbort();
  else given?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    begin: () => {
      clock.sleep(timeoutMs, stop.signal).then(
        () => controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError")),
        // Released before its time: nothing to do.
        () => undefined,
      );
    },
    release: () => {
      given?.removeEventListener("abort", onAbort);
      stop.abort(RELEASED);
    },
  };
}
