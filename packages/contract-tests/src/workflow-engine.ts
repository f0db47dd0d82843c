export { engineCases } from "./engine-cases/cases.ts";
export {
  type EngineBegin,
  type EngineCase,
  type EngineFixture,
  type EngineHarness,
  type EngineTrial,
  runEngineCase,
  type TrialOptions,
} from "./engine-cases/fixture.ts";
export { type EngineSuite, engineSuite, type FlowInput } from "./engine-cases/flows.ts";
export { type EngineHostProcess, serveEngineHost, startEngineHost } from "./engine-cases/host-process.ts";
export { type EngineWorld, engineWorld } from "./engine-cases/world.ts";
