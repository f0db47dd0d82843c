import type { StoreCase } from "./store-cases/fixture.ts";
import { expiringLeaseCases, leaseCases } from "./store-cases/leases.ts";
import { recordCases } from "./store-cases/records.ts";
import { expiringStepCases, stepCases } from "./store-cases/steps.ts";

export {
  runStoreCase,
  type StoreCase,
  type StoreCaseSkip,
  type StoreExpiry,
  type StoreFixture,
  type StoreHarness,
  type StoreProcess,
  serveStore,
  startStoreProcess,
} from "./store-cases/fixture.ts";

/** All promises of the store contract. */
export const storeCases: readonly StoreCase[] = [
  ...recordCases,
  ...stepCases,
  ...leaseCases,
  ...expiringLeaseCases,
  ...expiringStepCases,
];
