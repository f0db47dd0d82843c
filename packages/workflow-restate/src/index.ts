export { type RestateClientOptions, type RestateRuns, restateRuns } from "./restate-runs.ts";
export { type RestateService, type RestateServiceOptions, restateService, serviceName } from "./restate-service.ts";
