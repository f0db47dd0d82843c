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
