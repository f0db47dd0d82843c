import type { CaseContext } from "../case-context.ts";
import { must, mustEqual, mustReject, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { eventually } from "../waiting.ts";

const LEAD_MS = 120_000;
// Read so long before the end at the latest: a look takes time of its own.
const BEFORE_MS = 500;

export const terminateByRules: Rules<"EXP"> = {
  "EXP-01": "An instance spawned with `terminateBy` is terminated at that time, although nobody asks for it.",
  "EXP-02":
    "It is not terminated earlier, and at most `limits.terminateLateMs` later; stopped is not terminated. One that has not begun by then never runs, however long its remote still tells it as `pending`.",
  "EXP-03": "The instance tells the time that it was given, and who keeps it: `remote` or `machine`.",
  "EXP-04": "A time that has passed, or that is none, is INVALID_SPEC before any call.",
};

/** An end that comes by itself. */
export const terminateByCases: Cases<"terminate-by"> = {
  "terminate-by.comes": {
    title: "terminates an instance at the time that it was given, and not earlier",
    rules: ["EXP-01", "EXP-02"],
    run: async (context) => {
      const { clock, provider, subject } = context;
      const at = clock.now() + leadOf(context);
      const { id } = await context.spawn({ terminateBy: new Date(at).toISOString() });
      await sleepUntil(context, at - BEFORE_MS);
      const early = (await provider.get(id))?.status;
      const alive = early !== undefined && early !== "terminating" && early !== "terminated" && early !== "stopped";
      // Where the look itself lasted until its time, it proves nothing.
      must(
        alive || clock.now() >= at,
        "EXP-02",
        `it is ${shown(early)} before its time`,
        "Count from the absolute time.",
      );
      await sleepUntil(context, at);
      const { terminateLateMs = 0, readAfterWriteMs } = subject.limits;
      const last = await eventually(
        { clock, patienceMs: terminateLateMs + readAfterWriteMs },
        () => provider.get(id),
        (seen) => seen === null || seen.status === "terminated",
      );
      const next =
        "Let the remote or the machine terminate it, and say in limits.terminateLateMs how late that may be.";
      must(
        last === null || last.status === "terminated",
        "EXP-01",
        `it is ${shown(last?.status)} after its time`,
        next,
      );
    },
  },
  "terminate-by.told": {
    title: "tells when an instance ends by itself, and who sees to it",
    rules: ["EXP-03"],
    run: async (context) => {
      const at = new Date(context.clock.now() + leadOf(context) + LEAD_MS).toISOString();
      const { id } = await context.spawn({ terminateBy: at });
      const told = (await context.provider.get(id))?.terminateBy;
      mustEqual("EXP-03", "the time", Date.parse(told?.at ?? ""), Date.parse(at), "Keep it with the instance.");
      const listed = (await context.provider.list({ ids: [id] }))[0]?.terminateBy;
      mustEqual("EXP-03", "what list tells", shown(listed), shown(told), "Tell the same everywhere.");
    },
  },
  "terminate-by.refused": {
    title: "refuses a time that has passed, and one that is none",
    rules: ["EXP-04"],
    run: async ({ subject, request, unchanged, clock }) => {
      for (const terminateBy of [new Date(clock.now() - 1_000).toISOString(), "tomorrow", 7]) {
        await unchanged("EXP-04", `terminateBy: ${shown(terminateBy)}`, () =>
          mustReject(
            "EXP-04",
            `a spawn with terminateBy: ${shown(terminateBy)}`,
            // A caller without types may give anything.
            () => subject.spawn(request({ terminateBy }) as never),
            { codes: ["INVALID_SPEC"], effect: "none" },
            "Make the provider with core's defineProvider.",
          ),
        );
      }
    },
  },
};

/** How far off the end is: as near as the remote takes it, where the harness says so. */
function leadOf({ harness }: CaseContext): number {
  return harness.terminateByLeadMs ?? LEAD_MS;
}

async function sleepUntil({ clock }: CaseContext, time: number): Promise<void> {
  const left = time - clock.now();
  if (left > 0) await clock.sleep(left);
}
