import type { Capability } from "@slipway/core";
import { RULE_IDS, type RuleId, type RuleSection } from "./rule-ids.ts";
import { bootstrapRules } from "./topics/bootstrap.ts";
import { cancellationRules } from "./topics/cancellation.ts";
import { capabilitiesRules } from "./topics/capabilities.ts";
import { clusterRules } from "./topics/cluster.ts";
import { concurrencyRules } from "./topics/concurrency.ts";
import { costsRules } from "./topics/costs.ts";
import { effectRules } from "./topics/effect.ts";
import { errorsRules } from "./topics/errors.ts";
import { getRules } from "./topics/get.ts";
import { hibernationRules } from "./topics/hibernation.ts";
import { hooksRules } from "./topics/hooks.ts";
import { idempotencyRules } from "./topics/idempotency.ts";
import { identityRules } from "./topics/identity.ts";
import { keyRules } from "./topics/key.ts";
import { launchRules } from "./topics/launch.ts";
import { listRules } from "./topics/list.ts";
import { networkingRules } from "./topics/networking.ts";
import { ownerRules } from "./topics/owner.ts";
import { packageRules } from "./topics/package.ts";
import { projectionRules } from "./topics/projection.ts";
import { redactionRules } from "./topics/redaction.ts";
import { regionsRules } from "./topics/regions.ts";
import { snapshotsRules } from "./topics/snapshots.ts";
import { spawnRules } from "./topics/spawn.ts";
import { spotRules } from "./topics/spot.ts";
import { tailscaleRules } from "./topics/tailscale.ts";
import { terminateRules } from "./topics/terminate.ts";
import { terminateByRules } from "./topics/terminate-by.ts";
import { volumesRules } from "./topics/volumes.ts";
import { warmVolumesRules } from "./topics/warm-volumes.ts";
import { workflowsRules } from "./topics/workflows.ts";

/** Whom a rule binds: every provider, or one package of the contract's own house, whose tests hold it. */
export type RuleSubject = "provider" | "core" | "control";

export interface Rule {
  readonly id: RuleId;
  readonly sentence: string;
  /** Binds only providers that have it; null: every provider. */
  readonly capability: Capability | null;
  readonly subject: RuleSubject;
}

const SENTENCES: { readonly [Id in RuleId]: string } = {
  ...identityRules,
  ...ownerRules,
  ...keyRules,
  ...idempotencyRules,
  ...getRules,
  ...spawnRules,
  ...terminateRules,
  ...listRules,
  ...bootstrapRules,
  ...capabilitiesRules,
  ...projectionRules,
  ...regionsRules,
  ...snapshotsRules,
  ...spotRules,
  ...volumesRules,
  ...warmVolumesRules,
  ...hibernationRules,
  ...costsRules,
  ...tailscaleRules,
  ...networkingRules,
  ...terminateByRules,
  ...launchRules,
  ...errorsRules,
  ...effectRules,
  ...redactionRules,
  ...cancellationRules,
  ...concurrencyRules,
  ...hooksRules,
  ...packageRules,
  ...workflowsRules,
  ...clusterRules,
};

const CAPABILITY_OF_SECTION: { readonly [S in RuleSection]?: Capability } = {
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
