import { type Meter, metrics } from "@opentelemetry/api";
import type { RuntimeEvent } from "@slipway/core";
import { addSpanEvent, NAME } from "./spans.ts";

export interface MeterOptions {
  /** The one of the registered provider if absent. */
  readonly meter?: Meter | undefined;
}

const SECONDS = 1000;
const KINDS = ["orphan", "unknown-run", "duplicate", "expired", "missing", "drifted"] as const;
/** What a record that cannot be read may be about. */
const HIDDEN: ReadonlySet<string> = new Set(["orphan", "unknown-run", "duplicate"]);
const SLOT_STATES = ["empty", "launching", "idle", "claimed", "draining", "ending", "failed"] as const;

/** What of a plan of `reconcile` is counted. */
export interface CountedPlan {
  readonly provider: string;
  readonly items: readonly { readonly kind: string }[];
  /** Why some records could not be read: then it does not know every orphan and duplicate. */
  readonly unread?: object | undefined;
}

/** What of a pool of `@slipway/control` is counted. */
export interface CountedPool {
  readonly slots: () => Promise<readonly { readonly state: string }[]>;
}

export interface Telemetry {
  /** For `onEvent` of a provider's runtime and of everything in control: metrics, and events on the active span. */
  readonly onEvent: (event: RuntimeEvent) => void;
  /**
   * After each `reconcile`: how many orphans, duplicates, … there are, zero included, so that an alert ends. Of a plan that
   * could not read every record it reports no zero that it does not know, and `unread` is 1.
   */
  readonly reportPlan: (plan: CountedPlan) => void;
  /** What all that runs at a provider costs, USD an hour, as far as its offerings tell. */
  readonly reportPrice: (provider: string, usdPerHour: number) => void;
  /** How many slots of a pool are in each state, zero included; asked at each collection. */
  readonly observePool: (name: string, pool: CountedPool) => void;
}

/**
 * Metrics without keys and instance ids: each of those would be a series of its own.
 *
 * @example
 * ```ts
 * const { onEvent } = telemetry();
 * export const runtime = { onEvent };
 * ```
 */
export function telemetry(options: MeterOptions = {}): Telemetry {
  const meter = options.meter ?? metrics.getMeter(NAME);
  const calls = meter.createHistogram("slipway.call.duration", { unit: "s", description: "Calls to a provider" });
  const waits = meter.createHistogram("slipway.wait.duration", { unit: "s", description: "Waits, by their reason" });
  const placements = meter.createCounter("slipway.placement.tries", { description: "Placements that were tried" });
  const adopted = meter.createCounter("slipway.launch.adopted", { description: "Launches that found their instance" });
  const findings = meter.createGauge("slipway.reconcile.findings", { description: "What the last plan names" });
  const price = meter.createGauge("slipway.price", { unit: "{USD}/h", description: "What runs costs an hour" });
  return {
    onEvent: (event) => {
      addSpanEvent(event);
      const { provider } = event;
      if (event.type === "call.end") {
        const { operation, code, durationMs } = event;
        calls.record(durationMs / SECONDS, {
          provider,
          operation,
          ...(code === undefined ? {} : { "error.type": code }),
        });
      } else if (event.type === "wait") {
        waits.record(event.ms / SECONDS, { provider, operation: event.operation, reason: event.reason });
      } else if (event.type === "placement.tried") {
        placements.add(1, { provider, outcome: event.outcome });
      } else if (event.type === "launch.adopted") adopted.add(1, { provider });
    },
    reportPlan: ({ provider, items, unread }) => {
      for (const kind of KINDS) {
        const count = items.filter((item) => item.kind === kind).length;
        const isKnown = count > 0 || unread === undefined || !HIDDEN.has(kind);
        if (isKnown) findings.record(count, { provider, kind });
      }
      findings.record(unread === undefined ? 0 : 1, { provider, kind: "unread" });
    },
    reportPrice: (provider, usdPerHour) => price.record(usdPerHour, { provider }),
    observePool: (name, pool) => {
      meter
        .createObservableGauge("slipway.pool.size", { description: "Slots of a pool, by state" })
        .addCallback(async (result) => {
          const counts = Map.groupBy(await pool.slots(), ({ state }) => state);
          // An SDK goes on showing the last number of a state that is not observed any more.
          for (const state of new Set([...SLOT_STATES, ...counts.keys()])) {
            result.observe(counts.get(state)?.length ?? 0, { pool: name, state });
          }
        });
    },
  };
}
