import {
  type DefineOptions,
  defineProvider,
  type Instance,
  type Provider,
  type ProviderDefinition,
  type Snapshot,
} from "../src/index.ts";

export const INSTANCE: Instance = {
  id: "i-1",
  status: "running",
  provider: "subject",
  nativeId: "n-1",
  key: "k",
  owner: "tests",
  addresses: {},
  isSpot: false,
  labels: {},
  createdAt: "2026-01-31T12:00:00.000Z",
};

export const SNAPSHOT: Snapshot = {
  id: "s-1",
  provider: "subject",
  status: "available",
  key: "k",
  owner: "tests",
  instanceId: "i-1",
  createdAt: null,
};

export const LIMITS: Provider["limits"] = {
  maxUserDataBytes: 1024,
  maxLabels: 2,
  nameMaxLength: 8,
  readAfterWriteMs: 0,
  requestLifeMs: 0,
};

/** A definition without capabilities whose remote does everything at once. */
export function definition(over: Partial<ProviderDefinition<Provider>> = {}): ProviderDefinition<Provider> {
  return {
    name: "subject",
    owner: "tests",
    tier: "testing",
    limits: LIMITS,
    capabilities: {},
    spawn: async () => INSTANCE,
    terminate: async () => undefined,
    list: async () => [INSTANCE],
    get: async () => INSTANCE,
    generateBootstrap: () => ({ content: "", format: "shell", checksum: "", byteLength: 0 }),
    ...over,
  };
}

export function subject(over: Partial<ProviderDefinition<Provider>> = {}, options?: DefineOptions): Provider {
  return defineProvider<Provider>(definition(over), options);
}

/** A function of the contract as a caller without types has it. */
export function untyped(call: unknown): (...args: readonly unknown[]) => Promise<unknown> {
  // Every member that is passed here is a function; its parameters are what such a caller gets wrong.
  return call as (...args: readonly unknown[]) => Promise<unknown>;
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
