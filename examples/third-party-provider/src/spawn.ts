import { randomUUID } from "node:crypto";
import {
  type BootstrapScript,
  checksumOf,
  isKey,
  nameFor,
  type SpawnOptions,
  specHash,
  timestamp,
} from "@slipway/core";
import { carriedBootstrap, renderBootstrap } from "@slipway/provider-kit/bootstrap";
import type { Call } from "./client.ts";
import type { SshContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { idOf, materialize, placeOf, type SshInstance } from "./instance.ts";
import { type Held, read, statesOf } from "./lookup.ts";
import type { SshHost } from "./options.ts";
import { type Ownership, ownershipLine } from "./wire.ts";

export const MAX_USER_DATA_BYTES = 1_000_000;

/** Claims one free host, after the key was looked up. Spawns of one key in this process come one after the other. */
export async function spawnInstance(context: SshContext, options: SpawnOptions): Promise<SshInstance> {
  const call: Call = { operation: "spawn", signal: options.signal };
  const { key, bootstrap } = options;
  // defineProvider has given it one.
  if (!isKey(key)) throw refusal("INVALID_SPEC", call.operation, "key must be 1 to 128 printable ASCII characters");
  const script = bootstrap === undefined ? undefined : scriptOf(bootstrap, call);
  const hash = specHash(script === undefined ? options : { ...options, bootstrap: script });
  return await context.keyedMutex(`spawn ${key}`, call, async () => {
    const states = await statesOf(context, call);
    const held = states.flatMap(({ host, state }) => ("claim" in state ? [{ host, claim: state.claim }] : []));
    const known = findExisting(context, call, held, { key, hash });
    if (known !== null) return materialize(known.host, known.claim);
    const free = states.flatMap(({ host, state }) => ("free" in state ? [host] : []));
    return await claimOne(context, call, inOrder(free, key), { key, hash, script, options });
  });
}

interface Wanted {
  readonly key: string;
  readonly hash: string;
}

/** The claim that a repeated key already has, or null. */
function findExisting(context: SshContext, call: Call, held: readonly Held[], { key, hash }: Wanted): Held | null {
  const name = nameFor(context.owner, key);
  const unmanaged = held.find(({ claim }) => claim.ownership === null && claim.id.startsWith(name));
  if (unmanaged !== undefined) throw conflict(call, unmanaged, `something that Slipway has not made is named ${name}`);
  const ours = held.filter(({ claim }) => claim.ownership?.owner === context.owner && claim.ownership.key === key);
  const same = ours.find(({ claim }) => claim.ownership?.specHash === hash);
  const [other] = ours;
  if (same === undefined && other !== undefined) {
    throw conflict(call, other, `the key ${JSON.stringify(key)} has an instance of another spec`);
  }
  return same ?? null;
}

function conflict(call: Call, { host, claim }: Held, message: string): Error {
  const nativeId = idOf(host, claim.id);
  return refusal("CONFLICT", call.operation, `${message}: ${nativeId}`, { nativeId });
}

interface Claiming extends Wanted {
  readonly script: BootstrapScript | undefined;
  readonly options: SpawnOptions;
}

async function claimOne(
  context: SshContext,
  call: Call,
  hosts: readonly SshHost[],
  { key, hash, script, options }: Claiming,
): Promise<SshInstance> {
  const ownership: Ownership = {
    owner: context.owner,
    key,
    specHash: hash,
    createdAt: timestamp(context.clock),
    labels: options.labels ?? {},
    ...(options.name === undefined ? {} : { displayName: options.name }),
    ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
  };
  // The same key claims anew after it was released: another instance, another id.
  const claim = `${nameFor(context.owner, key)}-${randomUUID().slice(0, 8)}`;
  const stdin = ownershipLine(ownership) + (script?.content ?? "");
  for (const host of hosts) {
    const command = { verb: "claim", args: [claim], stdin, secrets: secretsOf(script) } as const;
    const state = read(call, host, await context.client.run(call, host, command));
    // Somebody was quicker: the next one.
    if ("claim" in state) return materialize(host, state.claim);
  }
  throw refusal("CAPACITY_ERROR", call.operation, `all ${context.hosts.length} hosts are taken`, {
    hint: "Terminate something, or add a host to the config.",
  });
}

/** For each key another order, so that two who spawn at once do not fight for the same host. */
function inOrder(hosts: readonly SshHost[], key: string): readonly SshHost[] {
  const rank = (host: SshHost): string => checksumOf(`${key} ${placeOf(host)}`);
  return hosts
    .map((host) => ({ host, rank: rank(host) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ host }) => host);
}

function scriptOf(bootstrap: NonNullable<SpawnOptions["bootstrap"]>, { operation }: Call): BootstrapScript {
  const script =
    "content" in bootstrap ? bootstrap : renderBootstrap(bootstrap, { provider: PROVIDER, operation, format: "shell" });
  if (script.format !== "shell")
    throw refusal("INVALID_SPEC", operation, "bootstrap must be a shell script here: there is no cloud-init");
  const bytes = Buffer.byteLength(script.content);
  if (bytes <= MAX_USER_DATA_BYTES) return script;
  throw refusal(
    "INVALID_SPEC",
    operation,
    `bootstrap has ${bytes} bytes, and at most ${MAX_USER_DATA_BYTES} are taken`,
  );
}

// A shorter value would take ordinary words out of messages.
const SHORTEST_SECRET = 4;

function secretsOf(script: BootstrapScript | undefined): readonly string[] {
  const carried = script === undefined ? null : carriedBootstrap(script);
  const values = [
    script?.content,
    carried?.script,
    carried?.registrationToken,
    ...Object.values(carried?.environment ?? {}),
    ...(carried?.files ?? []).map(({ content }) => content),
  ];
  return values.filter((value) => value !== undefined).filter((value) => value.length >= SHORTEST_SECRET);
}
