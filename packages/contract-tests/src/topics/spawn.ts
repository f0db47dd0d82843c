import type { BaseSpawnOptions, RefusableOption } from "@slipway/core";
import { type CaseContext, honoured } from "../case-context.ts";
import { must, mustEqual, mustReject, mustResolve, NotApplicable, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustHaveShape } from "../shape.ts";

const MALFORMED: readonly { readonly option: keyof BaseSpawnOptions; readonly value: unknown }[] = [
  { option: "spec", value: "" },
  { option: "image", value: 7 },
  { option: "resources", value: { cpus: -1 } },
  { option: "resources", value: { memoryBytes: Number.NaN } },
  { option: "resources", value: { cores: 2 } },
  { option: "labels", value: { team: 7 } },
  { option: "ports", value: [{ port: 70_000 }] },
  { option: "sshKeys", value: ["not a key\nat all"] },
  { option: "expiresAt", value: "tomorrow" },
  { option: "maxUsdPerHour", value: 0 },
  { option: "timeoutMs", value: -1 },
  { option: "signal", value: {} },
  { option: "bootstrap", value: "echo" },
  { option: "bootstrap", value: { content: "exit 0" } },
];
// Something well-formed for each option, to be refused with the provider's sentence.
const WELL_FORMED: { readonly [K in RefusableOption]: BaseSpawnOptions[K] } = {
  name: "a-name",
  spec: "a-spec",
  resources: { cpus: 1 },
  image: "an-image",
  bootstrap: { script: "exit 0" },
  ports: [{ port: 8080 }],
  sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4 someone@example.org"],
  labels: { team: "blue" },
  expiresAt: "2199-12-31T23:59:59Z",
  maxUsdPerHour: 1_000,
};
// The option is one that the harness's own request may already use.
const takesResources = ({ subject }: CaseContext): boolean => subject.limits.specTakesResources === true;
const withoutSpec = ({ harness }: CaseContext): object =>
  "spec" in harness.spawnOptions() ? { spec: undefined } : { resources: undefined };
const MANY = 200;
const EXPIRY_MS = 1_000;

export const spawnRules: Rules<"DATA" | "SPAWN"> = {
  "DATA-01": "Everything that is answered is JSON-safe plain data, in the fields and types of the contract.",
  "DATA-02": "Times are ISO 8601 in UTC.",
  "DATA-03": "A value that the remote does not tell is absent or null, never invented; a price is never a silent zero.",
  "SPAWN-01": "`spawn` resolves when the remote accepted it, and the remote then holds exactly one instance more.",
  "SPAWN-02":
    "A spawned instance gets to `running` by itself, or to `error` or `terminated`, where `statusReason` says why.",
  "SPAWN-03":
    "A base option that a provider cannot honour is named in `refuses` with a sentence, and is refused with UNSUPPORTED and that sentence before any call.",
  "SPAWN-04":
    "Nothing is ignored in silence: an option that neither the contract nor the provider knows is INVALID_SPEC before any call.",
  "SPAWN-05": "A malformed option is INVALID_SPEC before any call, and the message names it.",
  "SPAWN-06":
    "`spec` and `resources` exclude each other, and both together are INVALID_SPEC before any call; with `limits.specTakesResources` both together are honoured.",
  "SPAWN-07": "The caller's labels are answered as they were given, without Slipway's own tags.",
  "SPAWN-08": "`expiresAt` is answered as it was given, and nothing ends the instance because of it.",
  "SPAWN-09":
    "More labels than `limits.maxLabels` and a name longer than `limits.nameMaxLength` are INVALID_SPEC before any call.",
  "SPAWN-10": "Where the price is known, a spawn whose `maxUsdPerHour` is below it is INVALID_SPEC before any call.",
  "SPAWN-11": "`spawn` does not change the options that it is given.",
  "SPAWN-12": "`isSpot` is true exactly where interruptible capacity was asked for.",
};

/** What a spawn answers, and what it refuses before any call. */
export const spawnCases: Cases<"spawn"> = {
  "spawn.one-more": {
    title: "leaves exactly one instance more at the remote",
    rules: ["SPAWN-01"],
    run: async ({ provider, request, census, bornSince }) => {
      const before = await census();
      const { nativeId } = await provider.spawn(request());
      mustEqual("SPAWN-01", "what is new at the remote", await bornSince(before), [nativeId], "Create one.");
    },
  },
  "spawn.shape": {
    title: "answers an instance in the contract's fields",
    rules: ["DATA-01", "DATA-02"],
    run: async ({ provider, request }) => {
      const instance = await provider.spawn(request());
      mustHaveShape("DATA-01", instance, "instance");
      mustEqual("DATA-01", "the instance's provider", instance.provider, provider.name, "Answer the provider's name.");
    },
  },
  "spawn.gets-to-running": {
    title: "brings the instance to running without further calls",
    rules: ["SPAWN-02"],
    run: async ({ spawn, watch }) => {
      const { id } = await spawn();
      const last = await watch(id, (instance) => instance?.status === "running");
      const why = last?.statusReason === undefined ? "" : ` (${last.statusReason.message})`;
      const told = `it is ${last?.status ?? "not there"}${why}`;
      must(last?.status === "running", "SPAWN-02", told, "See the status table, or raise the harness's patienceMs.");
    },
  },
  "spawn.refuses": {
    title: "refuses the options that it names in `refuses`, with their sentence",
    rules: ["SPAWN-03"],
    run: async (context) => {
      const { subject, request, unchanged } = context;
      // The keys of `refuses` are the contract's refusable options.
      const refused = Object.entries(subject.refuses) as [RefusableOption, string][];
      if (refused.length === 0) throw new NotApplicable("the provider honours every base option");
      for (const [option, sentence] of refused) {
        must(sentence.trim() !== "", "SPAWN-03", `no sentence for ${option}`, "Write it into refuses.");
        const error = await unchanged("SPAWN-03", `a spawn with ${option}`, () =>
          mustReject(
            "SPAWN-03",
            `a spawn with ${option}`,
            () => subject.spawn(request({ ...withoutSpec(context), [option]: WELL_FORMED[option] })),
            { codes: ["UNSUPPORTED"], effect: "none" },
            "Make the provider with core's defineProvider, or take the option out of refuses.",
          ),
        );
        must(error.message.includes(sentence), "SPAWN-03", error.message, "Say the sentence of refuses.");
      }
    },
  },
  "spawn.unknown-option": {
    title: "refuses an option that nobody knows",
    rules: ["SPAWN-04"],
    run: async (context) => {
      const error = await mustRefuse(context, "SPAWN-04", { sizeOfTheMoon: 3 });
      must(error.message.includes("sizeOfTheMoon"), "SPAWN-04", error.message, "Name the option.");
    },
  },
  "spawn.malformed": {
    title: "refuses malformed options and names them",
    rules: ["SPAWN-05", "EFFECT-01"],
    run: async (context) => {
      for (const { option, value } of MALFORMED) {
        if (Reflect.get(context.subject.refuses, option) !== undefined) continue;
        const extra = option === "resources" ? { spec: undefined, resources: value } : { [option]: value };
        const error = await mustRefuse(context, "SPAWN-05", extra);
        must(error.message.includes(option), "SPAWN-05", `${error.message} (${option})`, "Name the option.");
      }
    },
  },
  "spawn.spec-and-resources": {
    title: "refuses spec and resources together",
    rules: ["SPAWN-06"],
    run: async (context) => {
      honoured(context, "spec");
      honoured(context, "resources");
      if (takesResources(context)) throw new NotApplicable("spec takes resources beside it here");
      const spec = context.harness.spawnOptions().spec ?? WELL_FORMED.spec;
      await mustRefuse(context, "SPAWN-06", { spec, resources: { cpus: 1 } });
    },
  },
  "spawn.spec-with-resources": {
    title: "takes resources beside a spec where it says that it does",
    rules: ["SPAWN-06"],
    run: async (context) => {
      honoured(context, "spec");
      honoured(context, "resources");
      if (!takesResources(context)) throw new NotApplicable("spec and resources exclude each other here");
      const { provider, harness, request } = context;
      const { spec = (await provider.spawn(request())).spec } = harness.spawnOptions();
      const instance = await mustResolve(
        "SPAWN-06",
        "a spawn with spec and resources",
        () => provider.spawn(request({ spec, resources: { cpus: 2 } })),
        "Honour both, or unset the limit.",
      );
      const told = { spec: instance.spec, cpus: instance.resources?.cpus };
      mustEqual("SPAWN-06", "what was honoured", told, { spec, cpus: 2 }, "Honour both, or unset the limit.");
    },
  },
  "spawn.labels": {
    title: "answers the caller's labels as they were given",
    rules: ["SPAWN-07"],
    run: async (context) => {
      honoured(context, "labels");
      if (context.subject.limits.maxLabels < 2) throw new NotApplicable("the provider takes fewer than two labels");
      const labels = { team: "blue", "cost-centre": "42" };
      const { id } = await context.spawn({ labels });
      const told = (await context.provider.get(id))?.labels ?? {};
      const sorted = Object.fromEntries(Object.entries(told).sort(([a], [b]) => b.localeCompare(a)));
      mustEqual("SPAWN-07", "the labels", sorted, labels, "Keep them apart from Slipway's own tags.");
    },
  },
  "spawn.expires-at": {
    title: "answers expiresAt, and ends nothing because of it",
    rules: ["SPAWN-08"],
    run: async (context) => {
      honoured(context, "expiresAt");
      const past = new Date(context.clock.now() + EXPIRY_MS).toISOString();
      const { id } = await context.spawn({ expiresAt: past });
      await context.clock.sleep(EXPIRY_MS);
      const told = await context.provider.get(id);
      const same = Date.parse(told?.expiresAt ?? "") === Date.parse(past);
      must(same, "SPAWN-08", `expiresAt is ${shown(told?.expiresAt)}`, "Keep it with the instance.");
      const alive = told?.status === "pending" || told?.status === "running";
      must(alive, "SPAWN-08", `it is ${told?.status} after its time`, "Leave that to reconcile.");
    },
  },
  "spawn.beyond-limits": {
    title: "refuses more labels and longer names than its limits say",
    rules: ["SPAWN-09"],
    run: async (context) => {
      const { limits, refuses } = context.subject;
      const tries: object[] = [];
      if (refuses.name === undefined && limits.nameMaxLength < 100_000) {
        tries.push({ name: "n".repeat(limits.nameMaxLength + 1) });
      }
      if (refuses.labels === undefined && limits.maxLabels < MANY) {
        const labels = Array.from({ length: limits.maxLabels + 1 }, (_, i) => [`label-${i}`, "x"]);
        tries.push({ labels: Object.fromEntries(labels) });
      }
      if (tries.length === 0) throw new NotApplicable("neither names nor labels have a limit here");
      for (const extra of tries) await mustRefuse(context, "SPAWN-09", extra);
    },
  },
  "spawn.max-price": {
    title: "refuses a spawn whose known price is above the caller's most",
    rules: ["SPAWN-10"],
    run: async (context) => {
      honoured(context, "maxUsdPerHour");
      const { price } = await context.spawn();
      if (price === undefined) throw new NotApplicable("the provider does not know the price");
      await mustRefuse(context, "SPAWN-10", { maxUsdPerHour: price.usdPerHour / 2 });
      await context.spawn({ maxUsdPerHour: price.usdPerHour * 2 });
    },
  },
  "spawn.options-untouched": {
    title: "does not change the options that it is given",
    rules: ["SPAWN-11"],
    run: async ({ provider, request }) => {
      const options = deepFreeze(request());
      const before = JSON.stringify(options);
      const next = "Copy before you change.";
      await mustResolve("SPAWN-11", "a spawn with frozen options", () => provider.spawn(options), next);
      mustEqual("SPAWN-11", "the options", JSON.stringify(options), before, "Copy before you change.");
    },
  },
  "spawn.not-spot": {
    title: "says that an instance is not interruptible where nobody asked for that",
    rules: ["SPAWN-12"],
    run: async ({ spawn }) => {
      const { isSpot } = await spawn();
      must(!isSpot, "SPAWN-12", "isSpot is true", "Say what was asked for, or ask for what you say.");
    },
  },
  "spawn.nothing-invented": {
    title: "leaves out what the remote does not tell",
    rules: ["DATA-03"],
    run: async ({ spawn, provider, harness }) => {
      const { id } = await spawn();
      const instance = await provider.get(id);
      const { spec, image } = harness.spawnOptions();
      if (spec !== undefined) mustTell("spec", instance?.spec, spec);
      if (image !== undefined) mustTell("image", instance?.image, image);
      const age = instance?.createdAt == null ? 0 : Math.abs(Date.parse(instance.createdAt) - harness.clock.now());
      must(age < 24 * 3_600_000, "DATA-03", `createdAt is ${instance?.createdAt}`, "Tell the remote's time, or null.");
      const empty = [instance?.region, instance?.zone, ...Object.values(instance?.addresses ?? {})].includes("");
      must(!empty, "DATA-03", `an empty text in ${shown(instance)}`, "Leave the field out.");
    },
  },
};

function mustTell(field: string, told: string | undefined, asked: string): void {
  must(told === undefined || told === asked, "DATA-03", `${field} is ${shown(told)}, not ${asked}`, "Read it back.");
}

async function mustRefuse(
  { subject, request, unchanged }: CaseContext,
  rule: "SPAWN-04" | "SPAWN-05" | "SPAWN-06" | "SPAWN-09" | "SPAWN-10",
  extra: object,
): Promise<Error> {
  const what = `a spawn with ${shown(extra)}`;
  return await unchanged(rule, what, () =>
    mustReject(
      rule,
      what,
      // A caller without types may give anything.
      () => subject.spawn(request(extra) as never),
      { codes: ["INVALID_SPEC"], effect: "none" },
      "Make the provider with core's defineProvider, which checks this before any call.",
    ),
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
