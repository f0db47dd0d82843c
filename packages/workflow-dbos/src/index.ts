export { type Dbos, type DbosHandle, type DbosOptions, type DbosRuns, dbosRuns } from "./dbos-runs.ts";
