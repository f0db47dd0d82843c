import { type CallOptions, type ListFilter, ProviderError } from "@slipway/core";
import { matcherOf } from "@slipway/provider-kit/filters";
import type { Call } from "./client.ts";
import type { SshContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { idOf, materialize, type SshInstance } from "./instance.ts";
import type { SshHost } from "./options.ts";
import type { Claim, HostState } from "./wire.ts";
import { stateFrom } from "./wire.ts";

export interface Held {
  readonly host: SshHost;
  readonly claim: Claim;
}

// nameFor and a generation; a bare one is looked for on every host.
const CLAIM = /^[a-z0-9-]{1,80}$/;

/** Every host, asked at once. Complete, or it rejects: a host that does not answer is no free host. */
export async function statesOf(
  context: SshContext,
  call: Call,
): Promise<readonly { host: SshHost; state: HostState }[]> {
  return await Promise.all(context.hosts.map(async (host) => ({ host, state: await stateOf(context, call, host) })));
}

async function stateOf({ client }: SshContext, call: Call, host: SshHost): Promise<HostState> {
  return read(call, host, await client.run(call, host, { verb: "list" }));
}

/** What the program on a host printed. Throws INTERNAL where it is something else. */
export function read(call: Call, host: SshHost, printed: string): HostState {
  const state = stateFrom(printed);
  if (state !== null) return state;
  throw new ProviderError("INTERNAL", {
    message: `${host.name} printed something else than was expected`,
    provider: PROVIDER,
    operation: call.operation,
    effect: call.operation === "spawn" ? "unknown" : "none",
    hint: "Does the login's shell print something of its own at its start?",
  });
}

export async function heldBy(context: SshContext, call: Call): Promise<readonly Held[]> {
  const states = await statesOf(context, call);
  return states.flatMap(({ host, state }) => ("claim" in state ? [{ host, claim: state.claim }] : []));
}

/** The claim that an id means, or null. One host is asked where the id names it. */
export async function find(context: SshContext, call: Call, id: string): Promise<Held | null> {
  const at = id.lastIndexOf("/");
  if (!CLAIM.test(id.slice(at + 1))) return null;
  const named = context.hosts.filter((host) => idOf(host, id.slice(at + 1)) === id);
  const hosts = at === -1 ? context.hosts : named;
  const states = await Promise.all(hosts.map(async (host) => ({ host, state: await stateOf(context, call, host) })));
  for (const { host, state } of states) {
    if ("claim" in state && state.claim.id === id.slice(at + 1)) return { host, claim: state.claim };
  }
  return null;
}

export async function getInstance(
  context: SshContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<SshInstance | null> {
  const found = await find(context, { operation: "get", signal }, id);
  return found === null ? null : materialize(found.host, found.claim);
}

export async function listInstances(
  context: SshContext,
  filter: ListFilter = {},
  { signal }: CallOptions = {},
): Promise<readonly SshInstance[]> {
  const { owner = context.owner } = filter;
  const held = await heldBy(context, { operation: "list", signal });
  return held
    .filter(({ claim }) => claim.ownership !== null && (owner === "*" || claim.ownership.owner === owner))
    .map(({ host, claim }) => materialize(host, claim))
    .filter(matcherOf(filter));
}
