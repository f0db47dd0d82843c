export { type ChaosOptions, type ChaosRun, chaos, chaosOf, type DriftWorld } from "./chaos.ts";
export { type ChaosEntry, type ChaosJournal, printJournal, replay } from "./journal.ts";
export type {
  ChaosConstraints,
  ChaosDrift,
  ChaosFault,
  ChaosPlan,
  ChaosPlanWithoutDrift,
  ChaosTrigger,
  DriftAction,
} from "./plan.ts";
