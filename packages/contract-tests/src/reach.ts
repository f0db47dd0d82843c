import { commandCases } from "./reach-cases/commands.ts";
import { copyCases } from "./reach-cases/copies.ts";
import type { ReachCase } from "./reach-cases/fixture.ts";
import { jobCases } from "./reach-cases/jobs.ts";

export {
  type ReachCase,
  type ReachCaseSkip,
  type ReachExecOptions,
  type ReachFixture,
  type ReachHarness,
  type ReachJob,
  type ReachPlace,
  type ReachResult,
  type ReachSession,
  runReachCase,
} from "./reach-cases/fixture.ts";

/** All promises of a session into an instance. */
export const reachCases: readonly ReachCase[] = [...commandCases, ...copyCases, ...jobCases];
