import { canListOfferings, canPlace, canReadBootstrap } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, mustReject, settled } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { judged, listFindsWhatIsThere } from "../judgement.ts";

const DELAY_MS = 2_000;
const SOON_MS = 50;

export const cancellationRules: Rules<"CANCEL"> = {
  "CANCEL-01":
    "A call whose signal is aborted before it begins rejects with CANCELLED and effect `none`, and nothing changes.",
  "CANCEL-02": "A call that is aborted on its way rejects with CANCELLED and the true effect, or has succeeded.",
  "CANCEL-03": "A call that takes longer than `timeoutMs` rejects with TIMEOUT and the true effect.",
  "CANCEL-04": "Aborting after a call has resolved changes nothing.",
  "CANCEL-05":
    "Methods beyond the contract (`listOfferings`, `placements`, `readBootstrap`, `planCleanup`, `removeLeftover`) keep CANCEL-01 to CANCEL-03 and ERR-01, and refuse an option that they do not know with INVALID_SPEC and effect `none`.",
};

/** What aborting and time limits do, and what they do not. */
export const cancellationCases: Cases<"cancellation"> = {
  "cancellation.before": {
    title: "refuses a call whose signal is aborted already",
    rules: ["CANCEL-01"],
    run: async ({ provider, request, spawn, unchanged }) => {
      const { id } = await spawn();
      const signal = AbortSignal.abort();
      const calls = {
        spawn: () => provider.spawn(request({ signal })),
        terminate: () => provider.terminate(id, { signal }),
        list: () => provider.list({}, { signal }),
        get: () => provider.get(id, { signal }),
      };
      for (const [name, call] of Object.entries(calls)) {
        await unchanged("CANCEL-01", `an aborted ${name}`, () =>
          mustReject(
            "CANCEL-01",
            `an aborted ${name}`,
            call,
            { codes: ["CANCELLED"], effect: "none" },
            "Make the provider with core's defineProvider.",
          ),
        );
      }
    },
  },
  "cancellation.under-way": {
    title: "says the truth of a spawn that is aborted on its way",
    rules: ["CANCEL-02", "EFFECT-02", "EFFECT-04"],
    needs: ["faults"],
    run: async (context) => {
      const controller = new AbortController();
      context.fault({ operation: "spawn", when: "delayed", delayMs: DELAY_MS });
      const abort = context.clock.sleep(SOON_MS).then(() => controller.abort());
      await givenUp(context, { signal: controller.signal }, ["CANCELLED"], false);
      await abort;
    },
  },
  "cancellation.read-under-way": {
    title: "ends a read that is aborted on its way",
    rules: ["CANCEL-02"],
    needs: ["faults"],
    run: async ({ provider, spawn, fault, clock }) => {
      await spawn();
      const controller = new AbortController();
      fault({ operation: "list", when: "delayed", delayMs: DELAY_MS });
      const abort = clock.sleep(SOON_MS).then(() => controller.abort());
      const begun = clock.now();
      await mustReject(
        "CANCEL-02",
        "a list that is aborted on its way",
        () => provider.list({}, { signal: controller.signal }),
        { codes: ["CANCELLED"], effect: "none" },
        "Hand the signal on to whatever waits.",
      );
      must(clock.now() - begun < DELAY_MS, "CANCEL-02", "it waited to the end", "Hand the signal on.");
      await abort;
    },
  },
  "cancellation.timeout": {
    title: "gives up after timeoutMs and says the truth",
    rules: ["CANCEL-03", "EFFECT-02", "EFFECT-04"],
    needs: ["faults"],
    run: async (context) => {
      context.fault({ operation: "spawn", when: "delayed", delayMs: DELAY_MS });
      await givenUp(context, { timeoutMs: SOON_MS }, ["TIMEOUT"], true);
    },
  },
  "cancellation.too-late": {
    title: "changes nothing when the signal is aborted after the call",
    rules: ["CANCEL-04"],
    run: async ({ provider, request, settle, unchanged, watch }) => {
      const controller = new AbortController();
      const { id } = await provider.spawn(request({ signal: controller.signal }));
      await settle();
      await watch(id, (instance) => instance?.status !== "pending");
      await unchanged("CANCEL-04", "aborting too late", async () => {
        controller.abort();
        const seen = await provider.get(id);
        must(seen !== null, "CANCEL-04", "the instance is gone", "Let go of the signal when the call is over.");
      });
    },
  },
  "cancellation.beyond": {
    title: "frames methods beyond the contract as its own",
    rules: ["CANCEL-05"],
    run: async ({ harness }) => {
      const { provider, cleanup } = harness.registration;
      const calls = new Map<string, (call: object) => Promise<unknown>>();
      if (canListOfferings(provider)) calls.set("listOfferings", (call) => provider.listOfferings(call));
      if (canReadBootstrap(provider)) calls.set("readBootstrap", (call) => provider.readBootstrap("any", call));
      if (canPlace(provider)) calls.set("placements", (call) => provider.placements(call));
      if (cleanup !== undefined) calls.set("planCleanup", (call) => cleanup.planCleanup(call));
      const next = "Make the provider with core's defineProvider, and `cleanup` with defineCleanup.";
      for (const [name, call] of calls) {
        const aborted = () => call({ signal: AbortSignal.abort() });
        await mustReject("CANCEL-05", `an aborted ${name}`, aborted, { codes: ["CANCELLED"], effect: "none" }, next);
        // As a typing error that no compiler has seen.
        const unknown = () => call({ timeoutMS: 1000 });
        const refused = { codes: ["INVALID_SPEC"], effect: "none" } as const;
        await mustReject("CANCEL-05", `${name} with an unknown option`, unknown, refused, next);
      }
    },
  },
};

async function givenUp(
  context: CaseContext,
  call: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  codes: readonly string[],
  mustFail: boolean,
): Promise<void> {
  const { provider, request, census, bornSince, clock } = context;
  const rule = mustFail ? "CANCEL-03" : "CANCEL-02";
  const options = request(call);
  const before = await census();
  const begun = clock.now();
  let took = 0;
  const outcome = await settled(() =>
    judged(
      context,
      "a spawn that was given up",
      () => provider.spawn(options).finally(() => (took = clock.now() - begun)),
      DELAY_MS * 2,
    ),
  );
  if (!outcome.ok) throw outcome.error;
  const error = outcome.value;
  if (error === undefined) {
    must(!mustFail, rule, `it resolved after ${took} ms`, "Hand the signal on to whatever waits.");
    return;
  }
  must(codes.includes(error.code), rule, `it says ${error.code}: ${error.message}`, "Use core's abortError.");
  must(took < DELAY_MS, rule, `it took ${took} ms`, "Hand the signal on to whatever waits.");
  await listFindsWhatIsThere(context, options.key, await bornSince(before));
}
