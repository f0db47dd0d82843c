import type { Clock } from "@slipway/core";
import { Problem } from "./problem.ts";
import type { EmulatedRates } from "./settings.ts";

const SECONDS: Readonly<Record<keyof EmulatedRates, number>> = { minute: 60, hour: 3_600, day: 86_400 };
const NAMES = ["minute", "hour", "day"] as const;

/** Counts one request of a key in all windows, and answers the headers; throws the 429 where one is full. */
export type CountRequest = (key: string) => Readonly<Record<string, string>>;

export function rateWindows(rates: EmulatedRates | null, clock: Clock): CountRequest {
  const used = new Map<string, number>();
  return (key) => {
    // Who is exempt gets no headers.
    if (rates === null) return {};
    const now = clock.now();
    const windows = NAMES.map((name) => {
      const ms = SECONDS[name] * 1000;
      const start = Math.floor(now / ms) * ms;
      const id = `${key} ${name} ${start}`;
      return { name, id, left: rates[name] - (used.get(id) ?? 0), resetS: Math.ceil((start + ms - now) / 1000) };
    });
    const full = windows.find(({ left }) => left <= 0);
    if (full === undefined) for (const { id } of windows) used.set(id, (used.get(id) ?? 0) + 1);
    const rest = full === undefined ? 1 : 0;
    const headers = {
      "ratelimit-policy": NAMES.map((name) => `"${name}";q=${rates[name]};w=${SECONDS[name]}`).join(", "),
      ratelimit: windows.map(({ name, left, resetS }) => `"${name}";r=${left - rest};t=${resetS}`).join(", "),
    };
    if (full === undefined) return headers;
    throw new Problem(429, `rate limit exceeded for the ${full.name} window`, {
      headers: { ...headers, "retry-after": String(full.resetS) },
    });
  };
}
