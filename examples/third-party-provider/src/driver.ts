import { randomUUID } from "node:crypto";
import { type BaseSpawnOptions, type Clock, checksumOf, nameFor, timestamp } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import type { Accepted, Call, Driver, SpawnRequest } from "@slipway/provider-kit/driver";
import type { SshClient } from "./client.ts";
import { refusal } from "./errors.ts";
import { type Held, type SshInstance, toInstance } from "./instance.ts";
import { idOf, placeOf, type SshHost } from "./options.ts";
import { ownershipLine } from "./wire.ts";

export const MAX_USER_DATA_BYTES = 1_000_000;

/** The configured hosts, as the parts of the driver use them. */
export interface SshRemote {
  readonly hosts: readonly SshHost[];
  readonly clock: Clock;
  readonly client: SshClient;
}

// What is random about a claim follows its name.
const NAME_LENGTH = nameFor("", "").length;
const CLAIM = /^[a-z0-9-]{1,80}$/;

/** Hosts that are there already. A link on each says who holds it: none is held twice, and what is read is true. */
export function sshHostsDriver(remote: SshRemote): Driver<Held, SshInstance, BaseSpawnOptions, undefined> {
  const { hosts, client } = remote;
  return {
    isId: (id) => CLAIM.test(claimOf(id)),
    identify: ({ host, claim }) => ({
      id: idOf(host, claim.id),
      nativeId: claim.id,
      name: claim.id.slice(0, NAME_LENGTH),
      // The machine was there before, and is there after.
      status: "running",
      ownership: claim.ownership,
      createdAt: claim.ownership?.createdAt,
    }),
    toInstance,
    bootstrap: { format: "shell", maxBytes: MAX_USER_DATA_BYTES },

    list: async function* (call) {
      yield (await client.look(call, hosts)).held;
    },
    get: async (call, id) => {
      const claim = claimOf(id);
      // An id names its host; a bare claim is looked for on all of them.
      const where = claim === id ? hosts : hosts.filter((host) => idOf(host, claim) === id);
      const { held } = await client.look(call, where);
      return held.find((one) => one.claim.id === claim) ?? null;
    },
    prepare: () => undefined,
    create: (call, request) => claimOne(remote, call, request),
    destroy: async (call, _id, held) => {
      if (held === null) return "gone";
      await client.run(call, held.host, { verb: "release", args: [held.claim.id] });
      return "accepted";
    },
  };
}

function claimOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

/** Claims the first free host that nobody else claims meanwhile. */
async function claimOne(
  { hosts, clock, client }: SshRemote,
  call: Call,
  { key, name, ownership, script }: SpawnRequest<BaseSpawnOptions>,
): Promise<Accepted<Held>> {
  // The same key claims anew after it was released: another instance, another id.
  const claim = `${name}-${randomUUID().slice(0, 8)}`;
  const stdin = ownershipLine({ ...ownership, createdAt: timestamp(clock) }) + (script?.content ?? "");
  const command = { verb: "claim", args: [claim], stdin, secrets: bootstrapSecrets(script) } as const;
  // Asked anew: the lookup by key has passed on what is held, and no more.
  const { free } = await client.look(call, hosts);
  for (const host of inOrder(free, key)) {
    const state = await client.readState(call, host, command);
    if ("claim" in state) return { machine: { host, claim: state.claim } };
  }
  throw refusal("CAPACITY_ERROR", call.operation, `all ${hosts.length} hosts are taken`, {
    hint: "Terminate something, or add a host to the config.",
  });
}

/** For each key another order, so that two who spawn at once do not fight for the same host. */
function inOrder(hosts: readonly SshHost[], key: string): readonly SshHost[] {
  return hosts
    .map((host) => ({ host, rank: checksumOf(`${key} ${placeOf(host)}`) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ host }) => host);
}
