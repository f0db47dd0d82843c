import type { ProviderRegistry, Registrations } from "@slipway/core";
import { describe, it } from "vitest";
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
  describe: (name, body) => {
    describe(name, body);
  },
  test: (name, body, options) => {
    it(name, { timeout: options?.timeoutMs ?? 60_000 }, async (context) => {
      await body((reason) => context.skip(reason));
    });
  },
  skipped: (name, reason) => {
    it(name, (context) => context.skip(reason));
  },
};

/** The whole suite over one provider, as vitest tests. Call it at the top of a test file. */
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

export { describeWorkflowEngine, type WorkflowEngineOptions } from "./engine-cases/describe.ts";
