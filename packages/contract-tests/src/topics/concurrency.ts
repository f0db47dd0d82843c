import { errorOf, must, mustEqual, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { eventually } from "../waiting.ts";

const AT_ONCE = 5;
const times = <T>(act: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, i) => act(i)));

export const concurrencyRules: Rules<"CONC"> = {
  "CONC-01": "Concurrent spawns of different keys give one instance each.",
  "CONC-02": "Concurrent terminations of one instance all resolve, and it is gone.",
  "CONC-03":
    "Reads while writes are under way are true: nothing that was there all the time is missing, and nothing is shown twice.",
};

/** What many callers at once may rely on. */
export const concurrencyCases: Cases<"concurrency"> = {
  "concurrency.distinct-keys": {
    title: "makes one instance for each of several keys at once",
    rules: ["CONC-01"],
    run: async ({ provider, request, census, bornSince, settle }) => {
      const before = await census();
      const keys = Array.from({ length: AT_ONCE }, () => request().key);
      const spawned = await times((i) => provider.spawn(request({ key: keys[i] ?? "" })));
      const born = [...(await bornSince(before))].sort();
      const answered = spawned.map(({ nativeId }) => nativeId).sort();
      mustEqual("CONC-01", "what is new at the remote", born, answered, "Share no state between calls.");
      await settle();
      for (const [i, key] of keys.entries()) {
        const found = (await provider.list({ keys: [key] })).map(({ id }) => id);
        mustEqual("CONC-01", "the instance of each key", found, [spawned[i]?.id], "Share no state between calls.");
      }
    },
  },
  "concurrency.terminate-burst": {
    title: "resolves every one of several terminations of one instance",
    rules: ["CONC-02"],
    run: async (context) => {
      const { spawn, provider, another, census } = context;
      const { id, nativeId } = await spawn();
      const rival = await another();
      const outcomes = await times((i) => settled(() => (i % 2 === 0 ? provider : rival).terminate(id)));
      const failed = outcomes.map(errorOf).filter((error) => error !== undefined);
      must(failed.length === 0, "CONC-02", `${failed.length} rejected: ${shown(failed[0])}`, "Take ending as done.");
      const left = await eventually(context, census, ({ instances }) => !instances.has(nativeId));
      must(!left.instances.has(nativeId), "CONC-02", "the instance is still there", "End it once, and confirm all.");
    },
  },
  "concurrency.reads-while-writing": {
    title: "keeps showing what is there, each once, while others come and go",
    rules: ["CONC-03"],
    run: async ({ spawn, provider, request }) => {
      const steady = await spawn();
      const passing = await spawn();
      // Writes first, so that every read falls into them; their failure must not go unheard while the reads are awaited.
      const writes = Promise.all(
        [() => provider.spawn(request()), () => provider.terminate(passing.id), () => provider.spawn(request())].map(
          (write) => settled<unknown>(write),
        ),
      );
      const reads = await times(() => settled(() => provider.list()));
      for (const outcome of [...reads, ...(await writes)]) if (!outcome.ok) throw outcome.error;
      const seenIds = reads.map((read) => (read.ok ? read.value.map(({ id }) => id) : []));
      for (const seen of seenIds) {
        must(seen.includes(steady.id), "CONC-03", `${steady.id} is missing`, "Read a whole picture.");
        mustEqual("CONC-03", "how often each is shown", new Set(seen).size, seen.length, "Show each once.");
      }
    },
  },
  "concurrency.terminate-all": {
    title: "leaves nothing when everything is terminated at once",
    rules: ["CONC-02", "TERM-02"],
    run: async (context) => {
      const { provider, request, census, bornSince } = context;
      const before = await census();
      const spawned = await times(() => provider.spawn(request()));
      await Promise.all(spawned.map(({ id }) => provider.terminate(id)));
      const left = await eventually(
        context,
        () => bornSince(before),
        (found) => found.length === 0,
      );
      mustEqual("TERM-02", "what the inspector still holds", left, [], "End each of them.");
    },
  },
};
