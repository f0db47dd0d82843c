import type { Capability } from "@slipway/core";
import { RULE_IDS, type RuleId, type RuleSection } from "./ids.ts";
import { CAPABILITY_OF_SECTION, SENTENCES } from "./topics.ts";

/** Whom a rule binds: every provider, or one package of the contract's own house, whose tests hold it. */
export type RuleSubject = "provider" | "core" | "control";

export interface Rule {
  readonly id: RuleId;
  readonly sentence: string;
  /** Binds only providers that have it; null: every provider. */
  readonly capability: Capability | null;
  readonly subject: RuleSubject;
}

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

/** The contract as data, in the order of CONTRACT.md. */
export const rules: readonly Rule[] = (Object.keys(RULE_IDS) as RuleSection[]).flatMap((section) =>
  RULE_IDS[section].map((id) => ({
    id,
    sentence: SENTENCES[id],
    capability: CAPABILITY_OF_SECTION[section] ?? null,
    subject: SUBJECTS[id] ?? "provider",
  })),
);

/** A rule's sentence, for messages. */
export function sentenceOf(id: RuleId): string {
  return SENTENCES[id];
}
