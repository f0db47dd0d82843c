import type { CallOptions } from "./options.ts";
import type { AnswerOf } from "./shape.ts";

export interface CostQuery extends CallOptions {
  /** Start, inclusive, ISO 8601 UTC. */
  readonly from: string;
  /** End, exclusive, ISO 8601 UTC. */
  readonly to: string;
  readonly groupBy?: "day" | "instance" | "spec" | undefined;
}

export interface Cost {
  readonly usd: number;
  readonly from: string;
  readonly to: string;
  /** The day, instance id or spec that it is for; null if the query did not group. */
  readonly group: string | null;
  /** True while the remote may still change the amount. */
  readonly estimated: boolean;
}

/** Unlocked by `costExplorer`. */
export interface CostMethods {
  /** What this owner's instances cost in the time asked for. The remote may charge for the question. */
  readonly getCosts: (query: CostQuery) => Promise<readonly Cost[]>;
}

export const costShape: AnswerOf<Cost> = {
  usd: "atLeast0",
  from: "time",
  to: "time",
  group: "text or null",
  estimated: "flag",
};
