import { assertSupports, type ErrorCode, isProviderError } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, mustEqual, NotApplicable, settled } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { judged, listFindsWhatIsThere } from "../judgement.ts";
import { volumeSize, WRITES } from "../operations.ts";
import { eventually } from "../waiting.ts";

// What a remote says when it has decided against the request: it knows that it did nothing.
const REFUSALS: readonly ErrorCode[] = [
  "CAPACITY_ERROR",
  "QUOTA_EXCEEDED",
  "AUTH_ERROR",
  "RATE_LIMIT_ERROR",
  "INVALID_SPEC",
];
const OFTEN = 50;

export const effectRules: Rules<"EFFECT"> = {
  "EFFECT-01": "What is refused before anything is sent has effect `none`, and the remote is unchanged.",
  "EFFECT-02": "`none` is never said where the remote changed.",
  "EFFECT-03": "A documented refusal has effect `none`, never `unknown`.",
  "EFFECT-04": "After `unknown` or `applied`, `list({ keys })` finds exactly what the remote holds.",
  "EFFECT-05":
    "An unrecognised answer to a write is INTERNAL with effect `unknown`, or `applied` where the remote clearly did it; never `none`.",
  "EFFECT-06":
    "`mayRepeat` is true only for a retryable error whose effect is `none` or whose provider has `idempotentSpawn`.",
};

/** Whether the remote changed, judged by the inspector. */
export const effectCases: Cases<"effect"> = {
  "effect.refused-unsent": {
    title: "says none for what is refused before anything is sent, and it is true",
    rules: ["EFFECT-01", "EFFECT-02"],
    run: async (context) => {
      const { subject, request } = context;
      const refused: readonly object[] = [
        { key: "" },
        { unheardOf: true },
        { labels: 7 },
        { bootstrap: { content: "x" } },
      ];
      for (const extra of refused) {
        // A caller without types may give anything.
        const error = await judged(context, "a refused spawn", () => subject.spawn(request(extra) as never));
        must(error !== undefined, "EFFECT-01", "it was not refused", "Make the provider with core's defineProvider.");
        mustEqual("EFFECT-01", "the effect", error.effect, "none", "Refuse before the first call.");
      }
    },
  },
  "effect.refused-by-remote": {
    title: "says none for a documented refusal, and it is true",
    rules: ["EFFECT-03", "EFFECT-02"],
    needs: ["faults"],
    run: async (context) => {
      const { harness, provider, request, fault } = context;
      const codes = REFUSALS.filter((code) => harness.faults?.supports({ operation: "spawn", when: "before", code }));
      if (codes.length === 0) throw new NotApplicable("the harness places no refusal at spawn");
      for (const code of codes) {
        fault({ operation: "spawn", when: "before", code, times: OFTEN });
        const error = await judged(context, `a spawn refused by ${code}`, () => provider.spawn(request()));
        harness.faults?.clear();
        must(error !== undefined, "EFFECT-03", `a spawn refused by ${code} resolved`, "Reject where nothing was made.");
        mustEqual("EFFECT-03", "the code", error.code, code, "Map the refusal in the error table.");
        mustEqual("EFFECT-03", `the effect of ${code}`, error.effect, "none", "The remote said that it refused.");
      }
    },
  },
  "effect.spawn-failed-after": {
    title: "says the truth of a spawn that failed after its effect",
    rules: ["EFFECT-02", "EFFECT-04"],
    needs: ["faults"],
    run: async (context) => {
      context.fault({ operation: "spawn", when: "after", code: "UNAVAILABLE" });
      await unclearSpawn(context);
    },
  },
  "effect.spawn-answer-lost": {
    title: "says the truth of a spawn whose answer was lost",
    rules: ["EFFECT-02", "EFFECT-04"],
    needs: ["faults"],
    run: async (context) => {
      context.fault({ operation: "spawn", when: "reply-lost" });
      await unclearSpawn(context);
    },
  },
  "effect.terminate-answer-lost": {
    title: "says the truth of a terminate whose answer was lost",
    rules: ["EFFECT-02", "TERM-04"],
    needs: ["faults"],
    run: async (context) => {
      const { spawn, provider, fault, census } = context;
      const { id, nativeId } = await spawn();
      fault({ operation: "terminate", when: "reply-lost" });
      const error = await judged(context, "a terminate whose answer was lost", () => provider.terminate(id));
      if (error === undefined) return;
      must(error.effect !== "none", "EFFECT-02", `it says none (${error.code})`, "Say unknown: it was sent.");
      await provider.terminate(id);
      const left = await eventually(context, census, ({ instances }) => !instances.has(nativeId));
      must(!left.instances.has(nativeId), "TERM-04", "calling again does not end it", "Send it again.");
    },
  },
  "effect.snapshot-answer-lost": {
    title: "says the truth of a snapshot whose answer was lost",
    rules: ["EFFECT-02", "SNAP-02"],
    capability: { name: "snapshots", when: "on" },
    needs: ["faults"],
    run: async (context) => {
      const { spawn, provider, fault, key, settle, watch } = context;
      assertSupports(provider, "snapshots");
      const { id } = await spawn();
      await watch(id, (instance) => instance?.status === "running");
      const options = { key: key() };
      fault({ operation: "createSnapshot", when: "reply-lost" });
      await judged(context, "a snapshot whose answer was lost", () => provider.createSnapshot(id, options));
      await settle();
      const repeated = await provider.createSnapshot(id, options);
      await settle();
      const found = (await provider.listSnapshots({ instanceId: id })).map((snapshot) => snapshot.id);
      mustEqual("SNAP-02", "what is there after the repeat", found, [repeated.id], "Look the key up first.");
    },
  },
  "effect.volume-answer-lost": {
    title: "says the truth of a volume whose answer was lost",
    rules: ["EFFECT-02", "VOL-02"],
    capability: { name: "persistentVolumes", when: "on" },
    needs: ["faults"],
    run: async (context) => {
      const { provider, fault, key, settle } = context;
      assertSupports(provider, "persistentVolumes");
      const options = { key: key(), sizeBytes: volumeSize(context) };
      fault({ operation: "createVolume", when: "reply-lost" });
      await judged(context, "a volume whose answer was lost", () => provider.createVolume(options));
      await settle();
      const repeated = await provider.createVolume(options);
      await settle();
      const found = (await provider.listVolumes({ keys: [options.key] })).map((volume) => volume.id);
      mustEqual("VOL-02", "what is there after the repeat", found, [repeated.id], "Look the key up first.");
    },
  },
  "effect.not-understood": {
    title: "never says none for an answer to a write that it does not understand",
    rules: ["EFFECT-05"],
    needs: ["errorTable"],
    run: async ({ harness }) => {
      const rows = (harness.errorTable ?? []).filter(
        ({ code, operation }) => code === "INTERNAL" && WRITES.has(operation),
      );
      if (rows.length === 0) throw new NotApplicable("no row of the error table is INTERNAL at a write");
      const wrong = rows.filter(({ effect }) => effect === "none").map(({ id, effect }) => `${id} says ${effect}`);
      mustEqual("EFFECT-05", "rows of the error table", wrong, [], "Say unknown: nobody knows what it did.");
    },
  },
};

async function unclearSpawn(context: CaseContext): Promise<void> {
  const { provider, request, census, bornSince } = context;
  const options = request();
  const before = await census();
  const outcome = await settled(() => judged(context, "an unclear spawn", () => provider.spawn(options)));
  if (!outcome.ok) throw outcome.error;
  const born = await bornSince(before);
  if (outcome.value === undefined) {
    must(born.length === 1, "EFFECT-02", `it resolved, and there are ${born.length} instances`, "Make exactly one.");
  } else {
    const { code, effect } = outcome.value;
    must(isProviderError(outcome.value) && effect !== "none", "EFFECT-02", `it says ${code}, none`, "Say unknown.");
  }
  await listFindsWhatIsThere(context, options.key, born);
}
