import {
  type BaseSpawnOptions,
  type Instance,
  type InstanceStatus,
  isProviderError,
  ProviderError,
} from "@slipway/core";
import { type Call, type Driver, ownershipTags } from "../../src/driver/index.ts";

interface Vm {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly status: string;
  readonly creationTimestamp: string;
  readonly metadata: Readonly<Record<string, string>>;
}
interface Operation {
  readonly name: string;
  readonly zone: string;
  readonly status: "PENDING" | "RUNNING" | "DONE";
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}
interface ComputeApi {
  /** Throws on `unreachables` and on any warning but NO_RESULTS_ON_PAGE. */
  readonly aggregated: (
    call: Call,
    query: { readonly filter: string; readonly pageToken?: string | undefined },
  ) => Promise<{ readonly items: readonly Vm[]; readonly nextPageToken?: string }>;
  readonly instance: (call: Call, zone: string, name: string) => Promise<Vm | null>;
  readonly insert: (call: Call, zone: string, requestId: string, body: object) => Promise<Operation>;
  readonly remove: (call: Call, zone: string, name: string, requestId: string) => Promise<Operation>;
  readonly wait: (call: Call, operation: Operation) => Promise<Operation>;
}
type GcpInstance = Instance & { readonly zone: string };
type Options = BaseSpawnOptions & { readonly zone?: string | undefined };

const metadata = ownershipTags({ prefix: "slipway-", remote: "Compute Engine" });
const STATUSES: Readonly<Record<string, InstanceStatus>> = {
  PROVISIONING: "pending",
  STAGING: "pending",
  RUNNING: "running",
  STOPPING: "stopping",
  TERMINATED: "stopped",
  SUSPENDED: "hibernated",
};

/** Names are unique in a zone, and the zone is a pure function of the options: the remote itself refuses a second one. */
export function gcpDriver(
  api: ComputeApi,
  zoneFor: (options: Options) => string,
): Driver<Vm, GcpInstance, Options, { readonly zone: string }> {
  const parts = (id: string) => {
    const [zone = "", name = "", number = ""] = id.split("/");
    return { zone, name, number };
  };
  /** DONE means ended: the failure stands inside, with nothing made. */
  const settled = async (call: Call, operation: Operation): Promise<Operation> => {
    let now = operation;
    while (now.status !== "DONE") now = await api.wait(call, now);
    return now;
  };
  const failed = ({ code, message }: { readonly code: string; readonly message: string }, call: Call): ProviderError =>
    new ProviderError(code === "ZONE_RESOURCE_POOL_EXHAUSTED" ? "CAPACITY_ERROR" : "INTERNAL", {
      provider: "gcp",
      operation: call.operation,
      effect: "none",
      message,
      native: { code },
    });
  return {
    isId: (id) => /^[a-z0-9-]+\/[a-z0-9-]+\/\d+$/.test(id),
    identify: (vm) => ({
      id: `${vm.zone}/${vm.name}/${vm.id}`,
      nativeId: vm.id,
      name: vm.name,
      status: STATUSES[vm.status] ?? "unknown",
      ownership: metadata.read(vm.metadata),
      createdAt: vm.creationTimestamp,
    }),
    toInstance: (vm, base) => ({
      ...base,
      zone: vm.zone,
      addresses: {},
      isSpot: false,
      createdAt: vm.creationTimestamp,
    }),
    bootstrap: { format: "cloud-init", formats: ["cloud-init", "shell"] },

    list: async function* (call, { owner, names }) {
      const byOwner = owner === undefined ? "labels.slipway-owner:*" : `labels.slipway-owner="${owner}"`;
      const filter =
        names === undefined ? byOwner : `(${byOwner}) OR ${names.map((name) => `name="${name}"`).join(" OR ")}`;
      for (let pageToken: string | undefined, more = true; more; more = pageToken !== undefined) {
        const page = await api.aggregated(call, { filter, pageToken });
        yield page.items;
        pageToken = page.nextPageToken;
      }
    },
    get: async (call, id) => {
      const { zone, name, number } = parts(id);
      const vm = await api.instance(call, zone, name);
      return vm?.id === number ? vm : null;
    },
    prepare: (_call, { options }) => ({ zone: zoneFor(options) }),
    create: async (call, { name, ownership, prepared: { zone } }) => {
      // New for each logical attempt; the HTTP client repeats it with the same one.
      const requestId = crypto.randomUUID();
      const isTaken = (code: string | undefined) => code === "alreadyExists" || code === "RESOURCE_ALREADY_EXISTS";
      try {
        const { error } = await settled(
          call,
          await api.insert(call, zone, requestId, { name, metadata: metadata.write(ownership) }),
        );
        if (error !== undefined) throw failed(error, call);
      } catch (error) {
        if (isProviderError(error) && isTaken(error.native?.code)) return { error, lookUp: true, retry: true };
        throw error;
      }
      const vm = await api.instance(call, zone, name);
      if (vm !== null) return { machine: vm };
      const details = {
        provider: "gcp",
        operation: call.operation,
        effect: "applied",
        message: `${name} is not shown yet`,
      } as const;
      throw new ProviderError("INTERNAL", details);
    },
    destroy: async (call, id) => {
      const { zone, name } = parts(id);
      try {
        await api.remove(call, zone, name, crypto.randomUUID());
        return "accepted";
      } catch (error) {
        if (isProviderError(error, "NOT_FOUND")) return "gone";
        // Overlapping deletes answer so: the first one may be under way.
        if (isProviderError(error) && error.native?.code === "rateLimitExceeded") return { unclear: error };
        throw error;
      }
    },
  };
}
