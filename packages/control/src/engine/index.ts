export { EngineCancelled, type EngineOutcome, outputOf, type RecordedLeftover, type WorkflowEngine } from "./engine.ts";
export { type EngineRunOptions, runOnEngine } from "./run-on-engine.ts";
