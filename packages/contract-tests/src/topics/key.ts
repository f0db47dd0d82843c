import { type Instance, isKey, type Provider } from "@slipway/core";
import { type CaseContext, honoured } from "../case-context.ts";
import { errorOf, must, mustEqual, mustReject, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { otherSpecs, repeatedKeyMustAnswer } from "../same-key.ts";
import { eventually } from "../waiting.ts";
import { idempotencyCases } from "./idempotency.ts";

const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
const MALFORMED_KEYS: readonly unknown[] = ["", "x".repeat(129), "naïve", "line\nbreak", "nul\0", 7, null, {}];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const gone = (instance: Instance | null): boolean => instance === null || instance.status === "terminated";

export const keyRules: Rules<"KEY"> = {
  "KEY-01": "A spawn without a key gets a UUID as its key, so that two such spawns give two instances.",
  "KEY-02":
    "A key is 1 to 128 printable ASCII characters: each of these is taken and kept apart from every other, and anything else is INVALID_SPEC before any call.",
  "KEY-03":
    "Same owner, key and spec, and the instance is neither terminating nor terminated: `spawn` answers that instance and nothing changes remotely.",
  "KEY-04": "That also holds while the instance is stopped, hibernated or in error.",
  "KEY-05":
    "Same owner and key, another spec: CONFLICT with effect `none` and the existing instance's id in `native.id`; nothing changes remotely.",
  "KEY-06":
    "Same owner and key, and the instance is terminated or gone: a new instance with an id of its own, as often as that happens. One that is terminating is never returned: `spawn` makes a new one, or throws BUSY with `retryAfterMs` and effect `none` while the remote still holds the name.",
  "KEY-07":
    "The spec compared leaves out `signal`, `timeoutMs` and the registration token, and a bootstrap config equals the script rendered from it.",
  "KEY-08": "An instance's `key` and `owner` are those that it was spawned with, or null where the remote keeps none.",
  "KEY-09":
    "`specHash` is the SHA-256 of the options' canonical JSON without `signal`, `timeoutMs` and rotating secrets: the order of fields does not matter.",
};

/** What a key is, and every row of what a repeated one means. */
export const keyCases: Cases<"key"> = {
  ...idempotencyCases,
  "key.told": {
    title: "answers the key and owner that an instance was spawned with, or null",
    rules: ["KEY-08"],
    run: async ({ provider, key, spawn }) => {
      const given = key();
      const { id, key: told, owner } = await spawn({ key: given });
      const again = await provider.get(id);
      for (const seen of [told, again?.key]) {
        must(seen === given || seen === null, "KEY-08", `the key is ${shown(seen)}`, "Answer what the remote keeps.");
      }
      for (const seen of [owner, again?.owner]) {
        const right = seen === provider.owner || seen === null;
        must(right, "KEY-08", `the owner is ${shown(seen)}`, "Answer what the remote keeps.");
      }
    },
  },
  "key.absent": {
    title: "gives a spawn without a key a UUID",
    rules: ["KEY-01"],
    run: async ({ provider, request }) => {
      const { key: _left, ...keyless } = request();
      const [a, b] = [await provider.spawn(keyless), await provider.spawn(keyless)];
      must(a.id !== b.id, "KEY-01", "two spawns without a key gave one instance", "Make a UUID for each.");
      const wrong = [a.key, b.key].filter((key) => key !== null && !UUID.test(key));
      must(wrong.length === 0, "KEY-01", `the key is ${shown(wrong)}`, "Make it with core's defineProvider.");
    },
  },
  "key.printable": {
    title: "takes every key of 1 to 128 printable characters and keeps them apart",
    rules: ["KEY-02"],
    run: async ({ provider, request, key, settle }) => {
      const unique = key();
      const longest = (PRINTABLE + unique).padEnd(128, "x");
      const keys = ["~", longest, `${longest.slice(0, 127)}y`, `${unique} A`, `${unique} a`];
      must(keys.every(isKey), "KEY-02", "the suite's own keys are wrong", "Report this.");
      const made = [];
      for (const each of keys) made.push(await provider.spawn(request({ key: each })));
      await settle();
      const distinct = new Set(made.map(({ id }) => id)).size;
      mustEqual("KEY-02", "the number of instances", distinct, keys.length, "Derive names by core's nameFor.");
      for (const [i, each] of keys.entries()) {
        const found = (await provider.list({ keys: [each] })).map(({ id }) => id);
        mustEqual("KEY-02", `list({ keys: [${shown(each)}] })`, found, [made[i]?.id], "Quote keys, or hash them.");
      }
    },
  },
  "key.malformed": {
    title: "refuses every other key before any call",
    rules: ["KEY-02"],
    run: async ({ subject, request, unchanged }) => {
      for (const key of MALFORMED_KEYS) {
        await unchanged("KEY-02", `a spawn with the key ${shown(key)}`, () =>
          mustReject(
            "KEY-02",
            `a spawn with the key ${shown(key)}`,
            // What a caller without types can do.
            () => subject.spawn(request({ key }) as never),
            { codes: ["INVALID_SPEC"], effect: "none" },
            "Check it with core's isKey.",
          ),
        );
      }
    },
  },
  "key.same-spec": {
    title: "answers the instance that is there, and changes nothing",
    rules: ["KEY-03"],
    run: async (context) => {
      const options = context.request();
      const first = await context.spawn(options);
      await context.watch(first.id, (instance) => instance?.status !== "pending");
      await repeatedKeyMustAnswer(context, "KEY-03", options, first);
    },
  },
  "key.same-spec-elsewhere": {
    title: "answers the same instance from another process",
    rules: ["KEY-03"],
    run: async (context) => {
      const options = context.request();
      const first = await context.spawn(options);
      await context.watch(first.id, (instance) => instance?.status !== "pending");
      await repeatedKeyMustAnswer(context, "KEY-03", options, first, await context.another());
    },
  },
  "key.same-spec-hibernated": {
    title: "answers a hibernated instance as it is",
    rules: ["KEY-04"],
    capability: { name: "hibernation", when: "on" },
    run: async (context) => {
      const options = context.request({ hibernation: true });
      const first = await context.spawn(options);
      await context.watch(first.id, (instance) => instance?.status === "running");
      const hibernate: unknown = Reflect.get(context.provider, "hibernate");
      if (typeof hibernate === "function") await hibernate(first.id);
      await context.watch(first.id, (instance) => instance?.status === "hibernated");
      await repeatedKeyMustAnswer(context, "KEY-04", options, first);
    },
  },
  "key.after-crash": {
    title: "answers an instance that ended by itself, or makes a new one where it is gone",
    rules: ["KEY-04", "KEY-06"],
    needs: ["crash"],
    run: async (context) => {
      const options = context.request();
      const first = await context.spawn(options);
      await context.watch(first.id, (instance) => instance?.status === "running");
      await context.harness.inspector.crash?.(first.nativeId);
      const alive = ["pending", "running", "stopping", "terminating"];
      const after = await context.watch(first.id, (instance) => !alive.includes(instance?.status ?? "terminated"));
      if (!gone(after)) return await repeatedKeyMustAnswer(context, "KEY-04", options, first);
      const second = await context.spawn(options);
      must(second.id !== first.id, "KEY-06", "the instance that is gone was answered", "Raise the generation.");
    },
  },
  "key.other-spec": {
    title: "refuses another spec under the same key and names the instance in the way",
    rules: ["KEY-05"],
    run: async (context) => {
      const options = context.request();
      await otherSpecMustConflict(context, options.key, await context.spawn(options));
    },
  },
  "key.other-spec-elsewhere": {
    title: "refuses another spec from another process too",
    rules: ["KEY-05"],
    run: async (context) => {
      const options = context.request();
      await otherSpecMustConflict(context, options.key, await context.spawn(options), await context.another());
    },
  },
  "key.not-spec": {
    title: "compares neither time limit nor registration token",
    rules: ["KEY-07"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const options = context.request({ bootstrap: { script: "exit 0", registrationToken: "first-token" } });
      const first = await context.spawn(options);
      await context.watch(first.id, (instance) => instance?.status !== "pending");
      const rotated = { ...options, bootstrap: { script: "exit 0", registrationToken: "second-token" } };
      const hasty = { ...rotated, timeoutMs: 3_600_000, signal: new AbortController().signal };
      await repeatedKeyMustAnswer(context, "KEY-07", hasty, first);
    },
  },
  "key.config-or-script": {
    title: "takes a config and the script rendered from it as one spec",
    rules: ["KEY-07"],
    run: async (context) => {
      honoured(context, "bootstrap");
      const config = { script: "exit 0", environment: { GREETING: "hello" } };
      const options = context.request({ bootstrap: config });
      const first = await context.spawn(options);
      await context.watch(first.id, (instance) => instance?.status !== "pending");
      const rendered = { ...options, bootstrap: context.provider.generateBootstrap(config) };
      await repeatedKeyMustAnswer(context, "KEY-07", rendered, first);
    },
  },
  "key.after-terminate": {
    title: "makes a new instance once the first is terminated",
    rules: ["KEY-06"],
    run: async (context) => await generations(context, 2),
  },
  "key.generations": {
    title: "does so as often as the instance is terminated, from any process",
    rules: ["KEY-06"],
    run: async (context) => await generations(context, 4, true),
  },
  "key.while-ending": {
    title: "never answers an instance that is terminating",
    rules: ["KEY-06"],
    run: async (context) => await whileEnding(context),
  },
  "key.unclear-repeated": {
    title: "makes no second instance in the process whose first answer was lost",
    rules: ["KEY-03"],
    needs: ["faults"],
    run: async (context) => await unclearRepeated(context),
  },
};

async function otherSpecMustConflict(
  context: CaseContext,
  key: string,
  first: Instance,
  by: Provider = context.provider,
): Promise<void> {
  await context.watch(first.id, (instance) => instance?.status !== "pending");
  for (const spec of otherSpecs(context)) {
    const what = `a spawn of ${shown(spec)} under the same key`;
    const error = await context.unchanged("KEY-05", what, () =>
      mustReject(
        "KEY-05",
        what,
        () => by.spawn({ ...spec, key }),
        { codes: ["CONFLICT"], effect: "none" },
        "Keep core's specHash with the instance and compare it.",
      ),
    );
    mustEqual("KEY-05", "native.id", error.native?.id, first.id, "Put the existing instance's id into native.id.");
  }
}

async function generations(context: CaseContext, count: number, alternating = false): Promise<void> {
  const options = context.request();
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) {
    const by = alternating && i % 2 === 1 ? await context.another() : context.provider;
    const before = await context.census();
    const { id } = await context.spawn(options, by);
    must(!seen.has(id), "KEY-06", `the terminated ${id} was answered`, "Raise the generation of the key.");
    const born = await context.bornSince(before);
    mustEqual("KEY-06", "the number of new instances", born.length, 1, "Make exactly one.");
    seen.add(id);
    await by.terminate(id);
    await context.settle();
    const last = await context.watch(id, gone);
    must(gone(last), "TERM-02", `${id} stays ${last?.status}`, "See that terminate ends it.");
    await eventually(context, context.census, (census) => !born.some((each) => census.instances.has(each)));
  }
}

/** A spawn right after the terminate, and then as often as the provider says BUSY: it ends with a new instance. */
async function whileEnding(context: CaseContext): Promise<void> {
  const { provider, watch, clock, patienceMs } = context;
  const options = context.request();
  const first = await context.spawn(options);
  await watch(first.id, (instance) => instance?.status === "running");
  await provider.terminate(first.id);
  const next = "Take an instance that is terminating for ended: make a new one, or throw BUSY while its name is held.";
  for (const until = clock.now() + patienceMs; ; ) {
    const outcome = await settled(() => provider.spawn(options));
    if (outcome.ok) {
      const { id, status } = outcome.value;
      must(id !== first.id, "KEY-06", `spawn answers ${id}, which is ${status} after its terminate`, next);
      return;
    }
    const error = errorOf(outcome);
    const isBusy = error?.code === "BUSY" && error.effect === "none" && (error.retryAfterMs ?? 0) > 0;
    must(isBusy, "KEY-06", `spawn throws ${shown(error)}`, next);
    must(clock.now() < until, "KEY-06", "spawn stays BUSY", "See that the name gets free.");
    await clock.sleep(Math.min(error?.retryAfterMs ?? 0, patienceMs));
  }
}

/** At once, so that no listing needs to show the first one yet. */
async function unclearRepeated(context: CaseContext): Promise<void> {
  const options = context.request();
  const before = await context.census();
  context.fault({ operation: "spawn", when: "reply-lost" });
  await settled(() => context.provider.spawn(options));
  const again = await settled(() => context.provider.spawn(options));
  await context.settle();
  const next = "Remember the key of a creation without an answer, and look it up until a listing has to show it.";
  const born = await context.bornSince(before);
  mustEqual("KEY-03", "the number of new instances", born.length, 1, next);
  const error = errorOf(again);
  must(again.ok || error?.code === "BUSY", "KEY-03", `the repeated spawn throws ${shown(error)}`, next);
}
