export {
  type ChaosConstraints,
  type ChaosDrift,
  type ChaosEntry,
  type ChaosFault,
  type ChaosJournal,
  type ChaosOptions,
  type ChaosPlan,
  type ChaosPlanWithoutDrift,
  type ChaosRun,
  type ChaosTrigger,
  chaos,
  chaosOf,
  type DriftAction,
  type DriftWorld,
  printJournal,
  replay,
} from "@slipway/provider-kit/chaos";
export { orbstackWorld } from "./world.ts";
