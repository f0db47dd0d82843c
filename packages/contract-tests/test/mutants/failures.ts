import { type Instance, isProviderError } from "@slipway/core";
import { asked, failed, fields, ignoring, intercept, reworded, underWay, wrongly } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

const MANY = 3;

const errorsMutants: MutantsOf<"errors"> = {
  "errors.branded": {
    does: "calls its operation by another name",
    mutate: failed("spawn", (error) => {
      throw error.code === "CONFLICT" ? reworded(error, { operation: "create" }) : error;
    }),
  },
  "errors.follow-the-code": {
    does: "says that a conflict may be retried",
    mutate: failed("spawn", (error) => {
      throw error.code === "CONFLICT" ? Object.defineProperty(error, "retryable", { value: true }) : error;
    }),
  },
  "errors.json": {
    does: "loses the message in JSON",
    mutate: failed("spawn", (error) => {
      throw error.code === "CONFLICT" ? Object.defineProperty(error, "toJSON", { value: () => ({}) }) : error;
    }),
  },
  "errors.table": {
    does: "emits another scope than its table says",
    mutate: failed("spawn", (error) => {
      throw error.code === "QUOTA_EXCEEDED" ? reworded(error, { scope: "request" }) : error;
    }),
  },
};

const effectMutants: MutantsOf<"effect"> = {
  "effect.refused-unsent": {
    does: "says unknown for what it never sent",
    mutate: failed("spawn", (error) => {
      throw error.message.includes("unheardOf") ? reworded(error, { effect: "unknown" }) : error;
    }),
  },
  "effect.refused-by-remote": {
    does: "says unknown where the quota was exceeded",
    mutate: failed("spawn", (error) => {
      throw error.code === "QUOTA_EXCEEDED" ? reworded(error, { effect: "unknown" }) : error;
    }),
    alsoKills: { "errors.table": "its table says none" },
  },
  "effect.spawn-failed-after": {
    does: "says none for a spawn that failed after its effect",
    mutate: claimingNone("spawn", (code) => code === "UNAVAILABLE"),
  },
  "effect.spawn-answer-lost": {
    does: "says none for a spawn whose answer was lost",
    mutate: claimingNone("spawn", (code) => code === "NETWORK"),
    alsoKills: { "errors.table": "its table says unknown" },
  },
  "effect.terminate-answer-lost": {
    does: "says none for a terminate whose answer was lost",
    mutate: claimingNone("terminate", () => true),
  },
  "effect.snapshot-answer-lost": {
    does: "says none for a snapshot whose answer was lost",
    mutate: claimingNone("createSnapshot", () => true),
  },
  "effect.volume-answer-lost": {
    does: "says none for a volume whose answer was lost",
    mutate: claimingNone("createVolume", () => true),
  },
  "effect.not-understood": {
    does: "says none for an answer that it does not understand",
    mutate: (harness) => ({
      ...harness,
      errorTable: harness.errorTable?.map((row) => (row.code === "INTERNAL" ? { ...row, effect: "none" } : row)),
    }),
    alsoKills: { "errors.table": "what is emitted is no longer what the table says" },
  },
};

function claimingNone(operation: string, when: (code: string) => boolean): Mutate {
  return failed(operation, (error) => {
    throw error.effect !== "none" && when(error.code) ? reworded(error, { effect: "none" }) : error;
  });
}

const concurrencyMutants: MutantsOf<"concurrency"> = {
  "concurrency.distinct-keys": {
    does: "gives concurrent spawns of one process the key of the first",
    mutate: asked("spawn", (options, place) => {
      const rivals = underWay(place, "spawn").filter(({ process }) => process === place.process);
      return rivals.length >= MANY ? { ...options, key: fields(rivals[0]?.args[0])["key"] } : options;
    }),
  },
  "concurrency.terminate-burst": {
    does: "rejects while another termination of the same instance is under way",
    mutate: intercept({
      terminate: async (args, next, place) => {
        const rival = underWay(place, "terminate").some((call) => call.args[0] === args[0]);
        if (rival) throw wrongly("BUSY", "terminate");
        return await next(...args);
      },
    }),
  },
  "concurrency.reads-while-writing": {
    does: "shows an instance twice while a write is under way",
    mutate: intercept({
      list: async (args, next, place) => {
        const writing = underWay(place, "terminate").length + underWay(place, "spawn").length > 0;
        const found = (await next(...args)) as readonly Instance[];
        return writing ? [...found, ...found] : found;
      },
    }),
  },
  "concurrency.terminate-all": {
    does: "forgets a termination where several are under way",
    mutate: intercept({
      terminate: (args, next, place) => {
        const rivals = underWay(place, "terminate").filter((call) => call.args[0] !== args[0]);
        return rivals.length >= MANY && !isRepeated(place.calls, args[0]) ? Promise.resolve() : next(...args);
      },
    }),
  },
};

function isRepeated(calls: readonly { readonly operation: string; readonly args: readonly unknown[] }[], id: unknown) {
  return calls.some((call) => call.operation === "terminate" && call.args[0] === id);
}

/** The provider gets a method beyond the contract that nothing is put around. */
const unframed: Mutate = (harness) => {
  const { registration } = harness;
  const provider = Object.assign({ ...registration.provider }, { listOfferings: async () => [] });
  return { ...harness, registration: { ...registration, provider } };
};

const cancellationMutants: MutantsOf<"cancellation"> = {
  "cancellation.before": {
    does: "lists though the signal is aborted",
    mutate: withoutSignal("list", (signal) => signal.aborted),
  },
  "cancellation.under-way": {
    does: "says none for a spawn that was aborted on its way",
    mutate: claimingNone("spawn", (code) => code === "CANCELLED"),
  },
  "cancellation.read-under-way": {
    does: "does not hand the signal on to a read",
    mutate: withoutSignal("list", (signal) => !signal.aborted),
  },
  "cancellation.timeout": {
    does: "ignores the time limit",
    mutate: ignoring("spawn", ["timeoutMs"], ({ timeoutMs }) => Number(timeoutMs) > 0),
  },
  "cancellation.too-late": {
    does: "ends the instance when the signal is aborted afterwards",
    mutate: intercept({
      spawn: async (args, next, { provider }) => {
        const instance = (await next(...args)) as Instance;
        const signal = fields(args[0])["signal"];
        const end = (): void => {
          provider.terminate(instance.id).catch((error: unknown) => {
            if (!isProviderError(error)) throw error;
          });
        };
        if (signal instanceof AbortSignal) signal.addEventListener("abort", end);
        return instance;
      },
    }),
  },
  "cancellation.beyond": {
    does: "lists offerings without core's frame",
    mutate: unframed,
  },
};

function withoutSignal(operation: string, when: (signal: AbortSignal) => boolean): Mutate {
  return intercept({
    [operation]: (args, next) => {
      const [request, call] = args;
      const { signal, ...rest } = fields(call);
      return signal instanceof AbortSignal && when(signal) ? next(request, rest) : next(...args);
    },
  });
}

/** Mutants of the groups of this file. */
export const failuresMutants: MutantsOf<"errors" | "effect" | "concurrency" | "cancellation"> = {
  ...errorsMutants,
  ...effectMutants,
  ...concurrencyMutants,
  ...cancellationMutants,
};
