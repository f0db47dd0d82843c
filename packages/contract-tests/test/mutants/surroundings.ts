import {
  HEARTBEAT_TASKS,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type Instance,
  isProviderError,
  type ProviderHooks,
} from "@slipway/core";
import type { Harness } from "../../src/harness.ts";
import { answered, failed, fields, intercept, lackingMethods, reworded } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

const NEEDS_METHOD = "it calls the method that is missing";
const YEAR_MS = 365 * 24 * 3_600_000;

const hooksMutants: MutantsOf<"hooks"> = {
  "hooks.startup": {
    does: "writes to the remote when it starts up",
    mutate: (harness) => {
      let extra = 0;
      const changes = async (): Promise<number> => ((await harness.inspector.changes?.()) ?? 0) + extra;
      const onStartup = async (): Promise<void> => {
        extra += 1;
        await harness.registration.hooks.onStartup();
      };
      return { ...hooking(() => ({ onStartup }))(harness), inspector: { ...harness.inspector, changes } };
    },
  },
  "hooks.startup-refused": {
    does: "starts up without credentials",
    mutate: hooking(({ onStartup }) => ({ onStartup: () => onStartup().catch(() => undefined) })),
  },
  "hooks.shutdown": {
    does: "ends its instances when it shuts down",
    mutate: hooking((_hooks, { registration: { provider } }) => ({
      onShutdown: async () => {
        for (const { id } of await provider.list()) await provider.terminate(id);
      },
    })),
  },
  "hooks.receipts": {
    does: "answers the tasks in an order of its own",
    mutate: heartbeat(async (request, go) => ({
      receipts: [...(await go(request)).receipts].sort((a, b) => order(a.task) - order(b.task)),
    })),
  },
  "hooks.deadline": {
    does: "ignores the deadline",
    mutate: heartbeat((request, go) => {
      const deadline = new Date(Date.parse(request.deadline) + YEAR_MS).toISOString();
      return go({ ...request, deadline });
    }),
  },
  "hooks.failing-task": {
    does: "rejects where a task fails",
    mutate: heartbeat(async (request, go) => {
      const answer = await go(request);
      const broken = answer.receipts.find((receipt) => !receipt.ok && receipt.error.code !== "TIMEOUT");
      if (broken?.ok === false) throw broken.error;
      return answer;
    }),
  },
  "hooks.heartbeat-changes-nothing": {
    does: "ends expired instances in a heartbeat",
    mutate: (harness) =>
      heartbeat(async (request, go) => {
        const { provider } = harness.registration;
        for (const { id, expiresAt } of await provider.list().catch(() => [])) {
          if (expiresAt !== undefined && Date.parse(expiresAt) < harness.clock.now()) await provider.terminate(id);
        }
        return await go(request);
      })(harness),
  },
};

const redactionMutants: MutantsOf<"redaction"> = {
  "redaction.errors": {
    does: "shows the request in a conflict's message",
    mutate: failed("spawn", (error, args) => {
      const request = JSON.stringify(fields(args[0])["bootstrap"]);
      throw error.code === "CONFLICT" ? reworded(error, { message: `${error.message}: ${request}` }) : error;
    }),
  },
  "redaction.transcript": {
    does: "logs the request",
    mutate: (harness) => {
      let log = "";
      const mutated = intercept({
        spawn: (args, next) => {
          log += JSON.stringify(fields(args[0])["bootstrap"]);
          return next(...args);
        },
      })(harness);
      return { ...mutated, transcript: () => `${harness.transcript?.() ?? ""}${log}` };
    },
  },
  "redaction.answers": {
    does: "answers the bootstrap with the instance",
    mutate: answered("spawn", (instance, args) => ({ ...instance, bootstrapConfig: fields(args[0])["bootstrap"] })),
  },
};

const projectionMutants: MutantsOf<"projection"> = {
  "projection.fields": {
    none: "core's projection copies the contract's fields whatever a provider answers; the case holds core to it",
  },
  "projection.members": {
    does: "has no getCosts, though the flag is on",
    mutate: lackingMethods("getCosts"),
    alsoKills: {
      "capabilities.costExplorer-on": NEEDS_METHOD,
      "costs.amounts": NEEDS_METHOD,
      "costs.grouped": NEEDS_METHOD,
    },
  },
  "projection.same": {
    does: "answers labels that JSON loses",
    mutate: answered<Instance | null>("get", (instance) =>
      instance?.status === "running" ? { ...instance, labels: { ...instance.labels, lost: undefined } } : instance,
    ),
    alsoKills: { "get.shape": "a label without a text is no label" },
  },
};

const packageMutants: MutantsOf<"package"> = {
  "package.manifest": {
    does: "names another provider in its manifest",
    mutate: packaging(({ manifest }) => ({
      manifest: { ...manifest, slipway: { ...fields(manifest["slipway"]), provider: "another" } },
    })),
  },
  "package.register": {
    does: "takes any config",
    mutate: packaging(({ register }) => ({
      register: async (config, env) => {
        try {
          return await register(config, env);
        } catch (error) {
          if (!isProviderError(error, "INVALID_SPEC")) throw error;
          return await register({}, env);
        }
      },
    })),
  },
};

const workflowsMutants: MutantsOf<"workflows"> = {
  "workflows.described": {
    does: "ships a workflow without a contract",
    mutate: (harness) => ({
      ...harness,
      registration: {
        ...harness.registration,
        // Incomplete on purpose: the case has to find that.
        workflows: { restart: { type: "restart", version: 0, input: {}, output: {}, run: async () => null } as never },
      },
    }),
  },
};

function hooking(change: (hooks: ProviderHooks, harness: Harness) => Partial<ProviderHooks>): Mutate {
  return (harness) => {
    const { hooks } = harness.registration;
    return {
      ...harness,
      registration: { ...harness.registration, hooks: { ...hooks, ...change(hooks, harness) } },
    };
  };
}

function heartbeat(
  change: (
    request: HeartbeatRequest,
    go: (request: HeartbeatRequest) => Promise<HeartbeatAnswer>,
  ) => Promise<HeartbeatAnswer>,
): Mutate {
  return hooking(({ onHeartbeat }) => ({ onHeartbeat: (request) => change(request, onHeartbeat) }));
}

function packaging(change: (own: NonNullable<Harness["package"]>) => Partial<NonNullable<Harness["package"]>>): Mutate {
  return (harness) =>
    harness.package === undefined
      ? harness
      : { ...harness, package: { ...harness.package, ...change(harness.package) } };
}

function order(task: string): number {
  return HEARTBEAT_TASKS.findIndex((known) => known === task);
}

/** Mutants of the groups of this file. */
export const surroundingsMutants: MutantsOf<"hooks" | "redaction" | "projection" | "package" | "workflows"> = {
  ...hooksMutants,
  ...redactionMutants,
  ...projectionMutants,
  ...packageMutants,
  ...workflowsMutants,
};
