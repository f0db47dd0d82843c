import { type CallOptions, type Provider, supports } from "@slipway/core";
import type { LaunchRecord } from "./store/record.ts";

/** Which launches a provider can look for; it is asked for its regions once, and only if there is one with a region. */
export interface Sight {
  /** Why it cannot look for what this record names; null where it can. */
  readonly whyNot: (record: LaunchRecord) => Promise<string | null>;
}

export function sightOf(provider: Provider, call: CallOptions): Sight {
  let asked: Promise<readonly string[] | null> | undefined;
  const regions = async (): Promise<readonly string[] | null> =>
    supports(provider, "multiRegion") ? (await provider.listRegions(call)).map(({ id }) => id) : null;
  return {
    whyNot: async (record) => {
      const region = regionOf(record);
      if (region === undefined) return null;
      asked ??= regions();
      const known = await asked;
      if (known === null || known.includes(region)) return null;
      return `cannot look: ${provider.name} is configured for ${known.join(", ")} and not for ${region}`;
    },
  };
}

/** Where its instance runs, as far as the record knows. */
export function regionOf({ region, expected }: LaunchRecord): string | undefined {
  return region ?? expected.region;
}
