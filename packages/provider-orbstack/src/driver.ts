import type { Driver, Ownership } from "@slipway/provider-kit/driver";
import { bootstrapState, MAX_BOOTSTRAP_BYTES, render } from "./bootstrap.ts";
import { isMachineId, type OrbstackContext, timeIn } from "./context.ts";
import { type OrbstackInstance, statusOf, toInstance } from "./instance.ts";
import { type SeenMachine, seenById } from "./lookup.ts";
import { labelFault, type OrbstackRequest, type OrbstackSpawnOptions, prepare, specOf } from "./request.ts";
import { finishFound, finishMade, makeMachine } from "./spawn.ts";
import { isInstanceName, isNamedBy, isSnapshotName, mayBeOurs, type Owned, ownedOf } from "./tags.ts";
import { removeMachine } from "./terminate.ts";

export type OrbstackDriver = Driver<SeenMachine, OrbstackInstance, OrbstackSpawnOptions, OrbstackRequest>;

/**
 * Machines of one Mac. OrbStack refuses a second one of a name, so that a repeated key holds for processes that share
 * nothing else. Whose a machine is stands in a file inside of it, which costs a command to read, once for each.
 */
export function orbstackDriver(context: OrbstackContext): OrbstackDriver {
  const { client } = context;
  return {
    isId: isMachineId,
    identify: ({ record, owned, owner }) => ({
      id: record.id,
      name: record.name,
      status: statusOf(record.state),
      ownership: owned === null ? null : ownershipOf(owned, owner),
      createdAt: timeIn(record.id),
    }),
    toInstance,
    bootstrap: { format: "shell", maxBytes: MAX_BOOTSTRAP_BYTES, render },
    labelFault,
    specOf: (options) => specOf(context, options),
    // A list shows what was just deleted for a moment longer.
    confirmsListed: true,
    prepare: (call, request) => prepare(context, call.operation, request),

    list: async function* (call, { owner = context.owner, names }) {
      const seen: SeenMachine[] = [];
      for (const record of await client.machines(call)) {
        const isNamed = names?.includes(record.name) === true;
        // One with the name of another key is not looked into: that would cost a command for each of them.
        if (!isNamed && (!mayBeOurs(record) || (names !== undefined && isInstanceName(record.name)))) continue;
        // What is named is read again, and then looked into.
        const owned = isNamed ? null : await ownedOf(context, call, record);
        seen.push({ record, info: null, owned, owner });
      }
      yield seen;
    },
    get: async (call, id) => {
      const seen = await seenById(context, call, id);
      // A snapshot is a machine too, and no instance.
      return seen === null || isSnapshotName(seen.record.name) ? null : seen;
    },
    peek: (call, id) => seenById(context, call, id),
    create: (call, { prepared }, { previous }) => makeMachine(context, call, prepared, previous),
    finish: async (call, seen, { prepared }, origin) => {
      const info = seen.info ?? (await client.machine(call, seen.record.id));
      if (info === null) return null;
      // A start takes an address as a creation does, and waits for its turn like one.
      const made = () => context.making(call, () => finishMade(context, call, info, prepared));
      const found = await (origin === "created" ? made() : finishFound(context, call, { ...seen, info }, prepared));
      return found === null ? null : { ...found, record: found.info.record, owner: context.owner };
    },
    // One more command, for an instance that has a bootstrap and can be asked.
    enrich: async (call, { record, owned }, instance) => {
      if (owned?.tag?.bootstrap === undefined || record.state !== "running") return instance;
      const bootstrap = await bootstrapState(client, call, record.name);
      return bootstrap === undefined ? instance : { ...instance, bootstrap };
    },
    destroy: async (call, _id, seen) => {
      if (seen === null || seen.info === null) return "gone";
      await removeMachine(context, call, seen.info);
      return "accepted";
    },
  };
}

/** One that was not tagged yet is its owner's by its name; the owner of another one's is not known. */
function ownershipOf({ machine, tag }: Owned, owner: string): Ownership {
  if (tag !== null) return tag;
  return { owner: isNamedBy(owner, machine.name) ? owner : "", key: null, specHash: undefined, labels: {} };
}
