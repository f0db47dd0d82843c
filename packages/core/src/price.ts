import type { CallOptions } from "./options.ts";
import type { AnswerOf } from "./shape.ts";

/** What an hour of a thing costs. There is no silent zero: a price that is not known is absent. */
export interface Price {
  /** US dollars for one hour. */
  readonly usdPerHour: number;
  readonly per: "instance";
  /** When the price was true, ISO 8601 UTC. */
  readonly asOf: string;
  /** `live`: asked from the remote at `asOf`. `catalogue`: from a table that was shipped or stored. */
  readonly source: "live" | "catalogue";
}

export const priceShape: AnswerOf<Price> = {
  usdPerHour: "usd",
  per: { oneOf: { instance: true } },
  asOf: "time",
  source: { oneOf: { live: true, catalogue: true } },
};

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
