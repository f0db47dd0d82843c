export type { CaseContext, Mode, Request } from "./case-context.ts";
export type { CaseResult } from "./case-result.ts";
export { ConformanceFailure, NotApplicable } from "./conformance-failure.ts";
export type { CaseBody, ContractCase, HarnessFeature } from "./contract-case.ts";
export type {
  ErrorTableRow,
  Harness,
  HarnessFactory,
  HarnessFaults,
  HarnessPackage,
  InspectedInstance,
  Inspector,
  UnmanagedVolume,
} from "./harness.ts";
export type { RuleId } from "./ids.ts";
export {
  CASE_IDS,
  type CaseGroup,
  type CaseId,
  type CaseIdOf,
  type SkippableCaseId,
  UNSKIPPABLE_GROUPS,
  type UnskippableGroup,
} from "./ids.ts";
export { type Fate, type PlannedCase, plan } from "./plan.ts";
export { renderBadge, renderJson, renderMarkdown, renderTable } from "./render-report.ts";
export { type ConformanceReport, type ReportCounts, type SharedCause, summaryOf } from "./report.ts";
export { type Rule, type RuleSubject, rules } from "./rules.ts";
export { type ConformanceOptions, MODES, runConformance } from "./run.ts";
export { type Skip, skipProblems } from "./skips.ts";
export { SUITE_VERSION } from "./suite-version.ts";
export { cases } from "./topics.ts";
