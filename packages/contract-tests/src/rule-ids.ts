/**
 * Every rule by its section in CONTRACT.md, in that order. The compiler demands a sentence for each of them from the
 * topics, and a test holds the sentences against CONTRACT.md. A number is never used again for another rule.
 */
export const RULE_IDS = {
  ID: ["ID-01", "ID-02", "ID-03", "ID-04", "ID-05"],
  OWNER: ["OWNER-01", "OWNER-02", "OWNER-03", "OWNER-04", "OWNER-05", "OWNER-06", "OWNER-07", "OWNER-08"],
  KEY: ["KEY-01", "KEY-02", "KEY-03", "KEY-04", "KEY-05", "KEY-06", "KEY-07", "KEY-08", "KEY-09"],
  IDEM: ["IDEM-01", "IDEM-02", "IDEM-03", "IDEM-04"],
  DATA: ["DATA-01", "DATA-02", "DATA-03"],
  SPAWN: [
    "SPAWN-01",
    "SPAWN-02",
    "SPAWN-03",
    "SPAWN-04",
    "SPAWN-05",
    "SPAWN-06",
    "SPAWN-07",
    "SPAWN-08",
    "SPAWN-09",
    "SPAWN-10",
    "SPAWN-11",
    "SPAWN-12",
  ],
  TERM: ["TERM-01", "TERM-02", "TERM-03", "TERM-04", "TERM-05"],
  GET: ["GET-01", "GET-02", "GET-03"],
  LIST: ["LIST-01", "LIST-02", "LIST-03", "LIST-04", "LIST-05", "LIST-06"],
  BOOT: ["BOOT-01", "BOOT-02", "BOOT-03", "BOOT-04", "BOOT-05", "BOOT-06", "BOOT-07", "BOOT-08", "BOOT-09"],
  CAP: ["CAP-01", "CAP-02", "CAP-03", "CAP-04", "CAP-05", "CAP-06", "CAP-07", "CAP-08"],
  PROJ: ["PROJ-01", "PROJ-02", "PROJ-03", "PROJ-04"],
  REGION: ["REGION-01", "REGION-02", "REGION-03", "REGION-04", "REGION-05"],
  GPU: ["GPU-01", "GPU-02"],
  SNAP: ["SNAP-01", "SNAP-02", "SNAP-03", "SNAP-04", "SNAP-05", "SNAP-06", "SNAP-07"],
  SPOT: ["SPOT-01", "SPOT-02", "SPOT-03", "SPOT-04", "SPOT-05"],
  VOL: ["VOL-01", "VOL-02", "VOL-03", "VOL-04", "VOL-05", "VOL-06", "VOL-07"],
  WARM: ["WARM-01", "WARM-02", "WARM-03", "WARM-04"],
  HIBER: ["HIBER-01", "HIBER-02", "HIBER-03", "HIBER-04"],
  COST: ["COST-01", "COST-02"],
  TAIL: ["TAIL-01", "TAIL-02"],
  NET: ["NET-01", "NET-02"],
  EXP: ["EXP-01", "EXP-02", "EXP-03", "EXP-04"],
  LAUNCH: ["LAUNCH-01", "LAUNCH-02", "LAUNCH-03", "LAUNCH-04", "LAUNCH-05", "LAUNCH-06"],
  ERR: ["ERR-01", "ERR-02", "ERR-03", "ERR-04"],
  EFFECT: ["EFFECT-01", "EFFECT-02", "EFFECT-03", "EFFECT-04", "EFFECT-05", "EFFECT-06"],
  SECRET: ["SECRET-01", "SECRET-02", "SECRET-03"],
  CANCEL: ["CANCEL-01", "CANCEL-02", "CANCEL-03", "CANCEL-04", "CANCEL-05"],
  CONC: ["CONC-01", "CONC-02", "CONC-03"],
  HOOK: ["HOOK-01", "HOOK-02", "HOOK-03", "HOOK-04", "HOOK-05", "HOOK-06", "HOOK-07", "HOOK-08"],
  PKG: ["PKG-01", "PKG-02"],
  REGISTRY: ["REGISTRY-01"],
  RUNTIME: ["RUNTIME-01", "RUNTIME-02"],
  FLOW: ["FLOW-01", "FLOW-02", "FLOW-03", "FLOW-04", "FLOW-05", "FLOW-06"],
  CLUSTER: [
    "CLUSTER-01",
    "CLUSTER-02",
    "CLUSTER-03",
    "CLUSTER-04",
    "CLUSTER-05",
    "CLUSTER-06",
    "CLUSTER-07",
    "CLUSTER-08",
    "CLUSTER-09",
    "CLUSTER-10",
    "CLUSTER-11",
  ],
} as const;

export type RuleSection = keyof typeof RULE_IDS;
/** The number of a rule in CONTRACT.md. */
export type RuleId = (typeof RULE_IDS)[RuleSection][number];
/** The sentences of a topic, as CONTRACT.md has them. */
export type Rules<S extends RuleSection> = { readonly [Id in (typeof RULE_IDS)[S][number]]: string };
