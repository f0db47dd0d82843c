import { type Instance, isProviderError } from "@slipway/core";
import { asked, fields, intercept, type Place, secretWrites, spawnsOf, told, underWay } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

const OTHER_PROCESS = 5;
const UUID = /^[0-9a-f]{8}-/;
const again = (key: unknown): string => `${String(key)}-again`;
const specOf = (options: unknown): string => JSON.stringify(options);

/** Mutants of the group key. */
export const keyMutants: MutantsOf<"key"> = {
  "key.told": {
    does: "tells another key than was given",
    mutate: told((instance) => (UUID.test(instance.key ?? "") ? instance : { ...instance, key: "another" })),
    alsoKills: { "list.unknown-state": "it lists by the key that was given" },
  },
  "key.absent": {
    does: "gives every spawn without a key the same one",
    mutate: asked("spawn", (options) => ({ key: "default", ...options })),
  },
  "key.printable": {
    does: "takes keys that differ in case for one",
    mutate: asked("spawn", ({ key, ...options }) => ({
      ...options,
      key: typeof key === "string" ? key.toLowerCase() : key,
    })),
  },
  "key.malformed": {
    does: "makes a malformed key a good one",
    mutate: asked("spawn", (options) => ({ ...options, key: options["key"] === "naïve" ? "naive" : options["key"] })),
  },
  "key.same-spec": {
    does: "writes to the remote when a key is repeated",
    mutate: writingOnRepeat((options, place, first) => {
      const plain = options["hibernation"] === undefined && options["labels"] === undefined;
      return plain && first.call.process === place.process && specOf(first.call.args[0]) === specOf(options);
    }),
  },
  "key.same-spec-elsewhere": {
    does: "writes to the remote when another process repeats a key",
    mutate: writingOnRepeat((_options, place, first) => first.call.process !== place.process),
  },
  "key.same-spec-hibernated": {
    does: "writes to the remote when the key of a hibernated instance is repeated",
    mutate: writingOnRepeat((options) => options["hibernation"] === true),
  },
  "key.after-crash": {
    does: "answers an instance that has crashed",
    mutate: (harness) => {
      let crashed = false;
      const crash = async (nativeId: string): Promise<void> => {
        crashed = true;
        await harness.inspector.crash?.(nativeId);
      };
      return answeringFirst(() => crashed)({ ...harness, inspector: { ...harness.inspector, crash } });
    },
  },
  "key.other-spec": {
    does: "answers the instance that has the key though the spec is another",
    mutate: adopting((place, process) => process === place.process),
  },
  "key.other-spec-elsewhere": {
    does: "does so only where another process made the instance",
    mutate: adopting((place, process) => process !== place.process),
  },
  "key.not-spec": {
    does: "compares the registration token",
    mutate: asked("spawn", (options) => {
      const token = fields(options["bootstrap"])["registrationToken"];
      return typeof token === "string" ? { ...options, labels: { token: `${token.length}` } } : options;
    }),
  },
  "key.config-or-script": {
    does: "compares how the bootstrap was given",
    mutate: asked("spawn", (options) =>
      "script" in fields(options["bootstrap"]) ? { ...options, labels: { given: "config" } } : options,
    ),
  },
  "key.after-terminate": {
    does: "answers the terminated instance the first time that its key is spawned again",
    mutate: answeringFirst(
      (place, spawns) => hasEnded(place) && spawns.length === 1 && spawns[0]?.call.process === place.process,
    ),
    alsoKills: { "key.while-ending": "The instance is on its way to be terminated there." },
  },
  "key.generations": {
    does: "answers the first instance when its key is spawned a third time",
    mutate: answeringFirst((place, spawns) => hasEnded(place) && spawns.length === 2),
  },
  "key.while-ending": {
    does: "answers an instance whose end has just begun",
    mutate: answeringFirst(({ calls }) => calls.at(-1)?.operation === "terminate"),
  },
  "key.unclear-repeated": {
    does: "makes a second instance after a lost answer, where nothing but its own memory could prevent it",
    world: "bare",
    mutate: forgetting("NETWORK"),
  },
  "key.five-times": {
    does: "makes a second instance in the fifth process that comes after the first",
    mutate: asked("spawn", (options, place) =>
      place.process === OTHER_PROCESS && spawnsOf(place, options["key"]).length > 0
        ? { ...options, key: again(options["key"]) }
        : options,
    ),
  },
  "key.concurrent": {
    does: "makes a second instance while its own process makes one",
    mutate: racing((place, rival) => rival.process === place.process),
  },
  "key.concurrent-elsewhere": {
    does: "makes a second instance while another process makes one",
    mutate: racing((place, rival, options) => rival.process !== place.process && rival.spec === specOf(options)),
  },
  "key.concurrent-other-spec": {
    does: "makes a second instance while another process makes one of another spec",
    mutate: racing((place, rival, options) => rival.process !== place.process && rival.spec !== specOf(options)),
  },
  "key.answer-lost": {
    does: "makes a second instance after a lost answer",
    mutate: forgetting("NETWORK"),
    alsoKills: { "key.unclear-repeated": "It is the same mistake, for providers without idempotentSpawn, too." },
  },
  "key.failed-after": {
    does: "makes a second instance after a failure behind the effect",
    mutate: forgetting("UNAVAILABLE"),
  },
};

type Spawned = ReturnType<typeof spawnsOf>[number];

function writingOnRepeat(when: (options: Record<string, unknown>, place: Place, first: Spawned) => boolean): Mutate {
  return secretWrites((secretly) =>
    intercept({
      spawn: async (args, next, place) => {
        const options = fields(args[0]);
        const [first] = spawnsOf(place, options["key"]);
        const instance = (await next(...args)) as Instance;
        if (first !== undefined && first.instance.id === instance.id && when(options, place, first)) secretly();
        return instance;
      },
    }),
  );
}

function hasEnded({ calls }: Place): boolean {
  return calls.some(({ operation }) => operation === "terminate");
}

/** The first instance of a key, though it is terminated. */
function answeringFirst(when: (place: Place, spawns: readonly Spawned[]) => boolean): Mutate {
  return intercept({
    spawn: (args, next, place) => {
      const spawns = spawnsOf(place, fields(args[0])["key"]);
      const [first] = spawns;
      return first !== undefined && when(place, spawns) ? Promise.resolve(first.instance) : next(...args);
    },
  });
}

function adopting(when: (place: Place, process: number) => boolean): Mutate {
  return intercept({
    spawn: async (args, next, place) => {
      const [first] = spawnsOf(place, fields(args[0])["key"]);
      try {
        return await next(...args);
      } catch (error) {
        if (first === undefined || !isProviderError(error, "CONFLICT") || !when(place, first.call.process)) throw error;
        return first.instance;
      }
    },
  });
}

function racing(
  when: (place: Place, rival: { readonly process: number; readonly spec: string }, options: unknown) => boolean,
): Mutate {
  return asked("spawn", (options, place) => {
    const rivals = underWay(place, "spawn").filter((call) => fields(call.args[0])["key"] === options["key"]);
    const wrong = rivals.some(({ process, args }) => when(place, { process, spec: specOf(args[0]) }, options));
    return wrong ? { ...options, key: again(options["key"]) } : options;
  });
}

function forgetting(code: "NETWORK" | "UNAVAILABLE"): Mutate {
  return asked("spawn", (options, { calls }) => {
    const lost = calls.some(
      ({ operation, args, outcome }) =>
        operation === "spawn" && fields(args[0])["key"] === options["key"] && isProviderError(outcome?.error, code),
    );
    return lost ? { ...options, key: again(options["key"]) } : options;
  });
}
