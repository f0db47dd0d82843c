import { type Instance, isProviderError, type Provider } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, mustEqual, type Outcome, settled, shown } from "../conformance-failure.ts";
import type { CaseBody } from "../contract-case.ts";
import type { CaseIdOf, Rules } from "../ids.ts";
import { otherSpec } from "../same-key.ts";
import { eventually } from "../waiting.ts";

const on = { name: "idempotentSpawn", when: "on" } as const;
const AT_ONCE = 5;

type Id = Extract<
  CaseIdOf<"key">,
  `key.concurrent${string}` | "key.five-times" | "key.answer-lost" | "key.failed-after"
>;

export const idempotencyRules: Rules<"IDEM"> = {
  "IDEM-01":
    "While another process creates the same key, `spawn` answers that instance after waiting, or CONFLICT or BUSY; there is never a second one.",
  "IDEM-02":
    "What a killed or cut-off client left half made is completed, or removed and made again, by the next spawn of its key; it is never left.",
  "IDEM-03":
    "Of two processes that spawn one key with different specs at once, at most one gets an instance and the other gets CONFLICT or BUSY.",
  "IDEM-04":
    "A repeated spawn is the same request: neither a cache nor chance nor another process alters what it asks for.",
};

/** What `idempotentSpawn` promises for processes that share nothing but the remote. */
export const idempotencyCases: { readonly [K in Id]: CaseBody } = {
  "key.five-times": {
    title: "answers one instance to five processes, one after the other and without waiting",
    rules: ["IDEM-04"],
    capability: on,
    run: async ({ another, request }) => {
      const options = request();
      const ids = new Set<string>();
      for (let i = 0; i < AT_ONCE; i++) ids.add((await (await another()).spawn(options)).id);
      mustEqual("IDEM-04", "the number of instances", ids.size, 1, "Fix the whole request before the first call.");
    },
  },
  "key.concurrent": {
    title: "makes one instance for concurrent spawns in one process",
    rules: ["IDEM-01"],
    capability: on,
    run: async (context) => {
      await atOnce(context, Array<Provider>(AT_ONCE).fill(context.provider));
    },
  },
  "key.concurrent-elsewhere": {
    title: "makes one instance for concurrent spawns in several processes",
    rules: ["IDEM-01"],
    capability: on,
    run: async (context) => {
      const processes = [context.provider];
      while (processes.length < AT_ONCE) processes.push(await context.another());
      await atOnce(context, processes);
    },
  },
  "key.concurrent-other-spec": {
    title: "gives at most one of two specs that are spawned at once the key",
    rules: ["IDEM-03"],
    capability: on,
    run: async (context) => {
      const { provider, another, request, census, bornSince } = context;
      const options = request();
      const other = { ...otherSpec(context), key: options.key };
      const rival = await another();
      const before = await census();
      const outcomes = await Promise.all([settled(() => provider.spawn(options)), settled(() => rival.spawn(other))]);
      const winners = outcomes.filter(({ ok }) => ok).length;
      must(winners <= 1, "IDEM-03", "both specs got an instance", "Make the remote decide: one name, one token.");
      onlyConflicts("IDEM-03", outcomes);
      const born = await bornSince(before);
      mustEqual("IDEM-03", "the number of new instances", born.length, winners, "Leave nothing of the one that lost.");
    },
  },
  "key.answer-lost": {
    title: "finds or completes what a lost answer left",
    rules: ["IDEM-02"],
    capability: on,
    needs: ["faults"],
    run: async (context) => {
      context.fault({ operation: "spawn", when: "reply-lost" });
      await repeatedAfterFailure(context);
    },
  },
  "key.failed-after": {
    title: "finds or completes what a failure after the effect left",
    rules: ["IDEM-02"],
    capability: on,
    needs: ["faults"],
    run: async (context) => {
      context.fault({ operation: "spawn", when: "after", code: "UNAVAILABLE" });
      await repeatedAfterFailure(context);
    },
  },
};

async function atOnce(context: CaseContext, processes: readonly Provider[]): Promise<void> {
  const options = context.request();
  const before = await context.census();
  const outcomes = await Promise.all(processes.map((process) => settled(() => process.spawn(options))));
  onlyConflicts("IDEM-01", outcomes);
  const ids = new Set(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.id] : [])));
  mustEqual("IDEM-01", "the number of instances answered", ids.size, 1, "Make the remote decide: one name, one token.");
  const born = await context.bornSince(before);
  mustEqual("IDEM-01", "the number of instances at the remote", born.length, 1, "Make nothing that is removed later.");
}

function onlyConflicts(rule: "IDEM-01" | "IDEM-03", outcomes: readonly Outcome<Instance>[]): void {
  for (const outcome of outcomes) {
    if (outcome.ok) continue;
    const allowed = isProviderError(outcome.error, "CONFLICT", "BUSY");
    must(allowed, rule, `a rival was answered ${shown(outcome.error)}`, "Wait for the other, or answer CONFLICT.");
  }
}

async function repeatedAfterFailure(context: CaseContext): Promise<void> {
  const options = context.request();
  const before = await context.census();
  await settled(() => context.provider.spawn(options));
  const { nativeId } = await (await context.another()).spawn(options);
  const born = await eventually(
    context,
    () => context.bornSince(before),
    (found) => found.length === 1,
  );
  mustEqual("IDEM-02", "what is there after the repeat", born, [nativeId], "Look the key up at every spawn.");
}
