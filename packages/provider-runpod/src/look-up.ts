import { abortError, type CallOptions, type ListFilter, type Operation } from "@slipway/core";
import type { Call } from "./client.ts";
import { isId, type RunpodContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { isTerminated, materialize, type RunpodInstance } from "./instance.ts";
import { marksOf } from "./marks.ts";
import type { Recent } from "./recent.ts";
import { checkPlace, type RunpodCapability, type RunpodRequest } from "./request.ts";
import type { WirePod } from "./wire.ts";

/** The only read that probes: a pod is `running` once sshd's port answers. */
export async function getInstance(
  context: RunpodContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<RunpodInstance | null> {
  if (!isId(id)) return null;
  // RunPod may not know a pod yet that it has just answered itself.
  const pod = (await context.client.pod({ operation: "get", signal }, id)) ?? context.spawned.byId(id);
  if (pod === undefined) return null;
  const instance = materialize(pod, context.clock);
  if (await context.readiness.reached(pod, signal)) return instance;
  if (signal?.aborted === true) throw abortError(signal, { provider: PROVIDER, operation: "get", effect: "none" });
  const message = "RunPod tells the address of sshd, and nothing answers there yet";
  return { ...instance, status: "pending", statusReason: { code: "NO_SSHD", message } };
}

export async function listInstances(
  context: RunpodContext,
  filter: ListFilter<RunpodCapability> = {},
  { signal }: CallOptions = {},
): Promise<readonly RunpodInstance[]> {
  const call = { operation: "list", signal };
  checkPlace(context, call.operation, filter);
  return (await context.client.pods(call))
    .filter((pod) => isOwned(pod, filter.owner ?? context.owner))
    .map((pod) => materialize(pod, context.clock))
    .filter((instance) => matches(instance, filter));
}

export function isOwned(pod: WirePod, owner: string): boolean {
  const marks = marksOf(pod);
  return marks !== null && (owner === "*" || marks.owner === owner);
}

function matches(instance: RunpodInstance, filter: ListFilter<RunpodCapability>): boolean {
  const { ids, keys, status, labels = {}, region } = filter;
  return (
    (ids?.includes(instance.id) ?? true) &&
    (keys === undefined || keys.some((key) => key === instance.key)) &&
    (status?.includes(instance.status) ?? instance.status !== "terminated") &&
    (region === undefined || region === instance.region) &&
    Object.entries(labels).every(
      ([name, value]) => Object.hasOwn(instance.labels, name) && instance.labels[name] === value,
    )
  );
}

/**
 * The instance that a repeated key already has, or null. CONFLICT where another spec stands under the key, or something
 * without our mark has its name. Where this process knows of a write that a listing may not show yet, it waits for that.
 */
export async function existing(
  context: RunpodContext,
  call: Call,
  request: RunpodRequest,
): Promise<RunpodInstance | null> {
  const pods = await listedSoFar(context.spawned, context, call, request.key, async () => {
    const found = (await context.client.pods(call)).filter((pod) => !isTerminated(pod));
    return found.filter((pod) => pod.name === request.name || isOf(pod, context.owner, request.key));
  });
  const stranger = pods.find((pod) => !isOf(pod, context.owner, request.key));
  if (stranger !== undefined) throw taken(call.operation, request, stranger.id);
  const live: RunpodInstance[] = [];
  for (const pod of pods) {
    const now = await present(context, call, pod);
    if (now !== null) live.push(materialize(now, context.clock));
  }
  if (live.length === 0) return null;
  const [same] = live.filter(({ specHash }) => specHash === request.specHash).sort((a, b) => (a.id < b.id ? -1 : 1));
  if (same !== undefined) return same;
  throw refusal(
    "CONFLICT",
    call.operation,
    `another spec stands under the key ${JSON.stringify(request.key)}: ${live[0]?.id}`,
    { hint: "Use another key, or terminate that instance first.", nativeId: live[0]?.id ?? "" },
  );
}

/** What a listing shows, and what this process itself has made too shortly ago for that. */
export async function listedSoFar<T extends { readonly id: string }>(
  traces: Recent<T>,
  { clock }: RunpodContext,
  call: Call,
  key: string,
  list: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const listed = await list();
  const trace = traces.of(key);
  if (listed.length > 0 || trace === undefined) return listed;
  if (trace.made !== undefined) return [trace.made];
  try {
    await clock.sleep(Math.max(0, trace.until - clock.now()), call.signal);
  } catch (error) {
    if (call.signal === undefined) throw error;
    throw abortError(call.signal, { provider: PROVIDER, operation: call.operation, effect: "none" });
  }
  return await list();
}

/** The pod as it is now; null if it is gone, though a late listing still shows it. */
async function present(context: RunpodContext, call: Call, listed: WirePod): Promise<WirePod | null> {
  const now = await context.client.pod(call, listed.id);
  if (now !== null) return isTerminated(now) ? null : now;
  if (context.spawned.isEnded(listed.id)) return null;
  if (context.spawned.byId(listed.id) !== undefined) return listed;
  // Of another process: too young for its absence to say anything.
  const age = context.clock.now() - Date.parse(listed.createdAt ?? "");
  return age < context.readAfterWriteMs ? listed : null;
}

function isOf(pod: WirePod, owner: string, key: string): boolean {
  const marks = marksOf(pod);
  return marks !== null && marks.owner === owner && marks.key === key;
}

function taken(operation: Operation, { name }: RunpodRequest, nativeId: string): Error {
  return refusal(
    "CONFLICT",
    operation,
    `a pod that Slipway has not made under this key is named ${name}: ${nativeId}`,
    {
      hint: "Slipway leaves it alone: rename or end it by hand, or use another key.",
      nativeId,
    },
  );
}
