import { describe, it } from "node:test";
import type { ProviderRegistry, Registrations } from "@slipway/core";
import {
  type ContractOptions,
  declareContract,
  declareRegistry,
  type RegistryHarnesses,
  type RegistryOptions,
  type TestRunner,
} from "./binding.ts";
import type { HarnessFactory } from "./harness.ts";

const runner: TestRunner = {
  // What these answer are promises that node:test itself waits for.
  describe: (name, body) => {
    void describe(name, body);
  },
  test: (name, body, options) => {
    void it(name, { timeout: options?.timeoutMs ?? 60_000 }, async (context) => {
      await body((reason) => context.skip(reason));
    });
  },
  skipped: (name, reason) => {
    void it(name, { skip: reason });
  },
};

/** The whole suite over one provider, as node:test tests. Call it at the top of a test file. */
export function describeProviderContract(name: string, harness: HarnessFactory, options?: ContractOptions): void {
  declareContract(runner, name, harness, options);
}

/** The suite over every provider of a registry; a registered provider without a harness fails. */
export function describeRegistry<R extends Registrations>(
  registry: ProviderRegistry<R>,
  harnesses: RegistryHarnesses<R>,
  options?: RegistryOptions<R>,
): void {
  declareRegistry(runner, registry, harnesses, options);
}
