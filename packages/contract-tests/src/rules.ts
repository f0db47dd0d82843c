import type { Capability } from "@slipway/core";
import { CAPABILITY_RULES } from "./rules/capability-rules.ts";
import { FAILURE_RULES } from "./rules/failure-rules.ts";
import { REMOTE_CALL_RULES } from "./rules/remote-calls.ts";
import { SURROUNDING_RULES } from "./rules/surroundings.ts";

type Sentences = typeof REMOTE_CALL_RULES & typeof CAPABILITY_RULES & typeof FAILURE_RULES & typeof SURROUNDING_RULES;

/** The number of a rule in CONTRACT.md. */
export type RuleId = keyof Sentences;

/** Whom a rule binds: every provider, or one package of the contract's own house, whose tests hold it. */
export type RuleSubject = "provider" | "core" | "control";

export interface Rule {
  readonly id: RuleId;
  readonly sentence: string;
  /** Binds only providers that have it; null: every provider. */
  readonly capability: Capability | null;
  readonly subject: RuleSubject;
}

const SENTENCES: Sentences = { ...REMOTE_CALL_RULES, ...CAPABILITY_RULES, ...FAILURE_RULES, ...SURROUNDING_RULES };

const CAPABILITY_OF_SECTION: Readonly<Record<string, Capability>> = {
  IDEM: "idempotentSpawn",
  REGION: "multiRegion",
  GPU: "gpu",
  SNAP: "snapshots",
  SPOT: "spot",
  VOL: "persistentVolumes",
  WARM: "warmVolumes",
  HIBER: "hibernation",
  COST: "costExplorer",
  TAIL: "tailscaleNative",
  NET: "customNetworking",
  EXP: "terminateBy",
};

/** The rules that no provider can break, since core or control keeps them for all. */
const SUBJECTS: { readonly [Id in RuleId]?: Exclude<RuleSubject, "provider"> } = {
  "OWNER-08": "core",
  "KEY-09": "core",
  "CAP-06": "core",
  "CAP-07": "core",
  "CAP-08": "core",
  "PROJ-04": "core",
  "EFFECT-06": "core",
  "HOOK-08": "core",
  "REGISTRY-01": "core",
  "RUNTIME-01": "core",
  "RUNTIME-02": "core",
  "LAUNCH-01": "control",
  "LAUNCH-02": "control",
  "LAUNCH-03": "control",
  "LAUNCH-04": "control",
  "LAUNCH-05": "control",
  "LAUNCH-06": "control",
  "FLOW-02": "control",
  "FLOW-03": "control",
  "FLOW-04": "control",
  "FLOW-05": "control",
  "FLOW-06": "control",
};

// The keys of an object literal typed Sentences are its rule ids.
const IDS = Object.keys(SENTENCES) as RuleId[];

/** The contract as data, in the order of CONTRACT.md's sections. */
export const rules: readonly Rule[] = IDS.map((id) => ({
  id,
  sentence: SENTENCES[id],
  capability: CAPABILITY_OF_SECTION[id.slice(0, id.indexOf("-"))] ?? null,
  subject: SUBJECTS[id] ?? "provider",
}));

/** A rule's sentence, for messages. */
export function sentenceOf(id: RuleId): string {
  return SENTENCES[id];
}
