import type { Instance } from "@slipway/core";
import type { InspectedInstance } from "../../src/harness.ts";
import { answered, asked, describing, fields, ignoring, intercept, told } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

const HOUR_MS = 3_600_000;
const CHEAP_USD = 0.02;
const LOOKS_AT_ONCE = "it looks at the remote right after its first spawn";
const PLAIN_OPTIONS = ["key", "spec"];

/** Mutants of the group spawn. */
export const spawnMutants: MutantsOf<"spawn"> = {
  "spawn.one-more": {
    does: "makes two instances and takes one away",
    mutate: (harness) => ghostly(harness),
    alsoKills: {
      "key.after-terminate": LOOKS_AT_ONCE,
      "key.generations": LOOKS_AT_ONCE,
      "spawn.max-price": LOOKS_AT_ONCE,
      "terminate.no-id": LOOKS_AT_ONCE,
      "cancellation.before": LOOKS_AT_ONCE,
      "snapshots.refused": LOOKS_AT_ONCE,
    },
  },
  "spawn.shape": {
    does: "answers an empty region",
    mutate: answered<Instance>("spawn", (instance) => ({ ...instance, region: "" })),
  },
  "spawn.gets-to-running": {
    does: "never tells that a plain instance runs",
    mutate: answered<Instance | null>("get", (instance, _args, { calls }) => {
      const spawned = calls.find(
        ({ operation, outcome }) => operation === "spawn" && Reflect.get(Object(outcome?.value), "id") === instance?.id,
      );
      const options = Object.keys(fields(spawned?.args[0]));
      const plain = spawned !== undefined && options.every((name) => PLAIN_OPTIONS.includes(name));
      return plain && instance?.status === "running" ? { ...instance, status: "unknown" } : instance;
    }),
  },
  "spawn.refuses": {
    does: "says that it refuses an option, and takes it",
    mutate: describing(() => ({ refuses: { image: "every instance has the same image" } })),
  },
  "spawn.unknown-option": {
    does: "ignores an option that it does not know",
    mutate: ignoring("spawn", ["sizeOfTheMoon"]),
  },
  "spawn.malformed": {
    does: "ignores malformed ports",
    mutate: ignoring("spawn", ["ports"]),
  },
  "spawn.spec-and-resources": {
    does: "prefers spec where resources are given too",
    mutate: ignoring("spawn", ["resources"], ({ spec }) => spec !== undefined),
  },
  "spawn.spec-with-resources": {
    does: "says that a spec takes resources, and refuses both together",
    mutate: describing(({ limits }) => ({ limits: { ...limits, specTakesResources: true } })),
  },
  "spawn.labels": {
    does: "shows its own tags among the caller's labels",
    mutate: told((instance) =>
      "cost-centre" in instance.labels
        ? { ...instance, labels: { ...instance.labels, "slipway:owner": "x" } }
        : instance,
    ),
  },
  "spawn.expires-at": {
    does: "tells another expiry than was given",
    mutate: told((instance) =>
      instance.expiresAt === undefined
        ? instance
        : { ...instance, expiresAt: new Date(Date.parse(instance.expiresAt) + HOUR_MS).toISOString() },
    ),
  },
  "spawn.beyond-limits": {
    does: "cuts a name that is too long",
    mutate: asked("spawn", (options) => {
      const { name } = options;
      return typeof name === "string" && name.length > 63 ? { ...options, name: name.slice(0, 63) } : options;
    }),
  },
  "spawn.max-price": {
    does: "ignores the most that the caller would pay",
    mutate: ignoring(
      "spawn",
      ["maxUsdPerHour"],
      ({ maxUsdPerHour: most }) => Number(most) > 0 && Number(most) < CHEAP_USD,
    ),
  },
  "spawn.options-untouched": {
    does: "writes into the options that it is given",
    mutate: intercept({
      spawn: (args, next) => {
        const options = Object(args[0]);
        options.key = fields(options)["key"];
        return next(...args);
      },
    }),
  },
  "spawn.not-spot": {
    does: "says that every instance is interruptible",
    mutate: told((instance) => ({ ...instance, isSpot: true })),
  },
  "spawn.nothing-invented": {
    does: "tells an empty zone where it knows none yet",
    mutate: answered<Instance | null>("get", (instance) =>
      instance?.status === "pending" ? { ...instance, zone: "" } : instance,
    ),
    alsoKills: { "projection.fields": "it checks the fields of the same answer" },
  },
};

/** Right after the first spawn the inspector sees one more than there is, once. */
function ghostly(harness: Parameters<Mutate>[0]): ReturnType<Mutate> {
  let haunted = false;
  let spawns = 0;
  const mutated = intercept({
    spawn: async (args, next) => {
      spawns += 1;
      const instance = await next(...args);
      haunted = spawns === 1;
      return instance;
    },
    get: (args, next) => {
      haunted = false;
      return next(...args);
    },
  })(harness);
  const instances = async (): Promise<readonly InspectedInstance[]> => {
    const held = await harness.inspector.instances();
    const [first] = held;
    if (!haunted || first === undefined) return held;
    haunted = false;
    return [...held, { ...first, nativeId: "ghost", live: true }];
  };
  return { ...mutated, inspector: { ...mutated.inspector, instances } };
}
