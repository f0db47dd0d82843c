import { BUILTIN_CAPABILITIES, isOwner, ProviderRegistry } from "@slipway/core";
import { errorOf, must, mustEqual, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { shapeProblems } from "../shape.ts";

export const identityRules: Rules<"ID"> = {
  "ID-01":
    "An instance's `id` is enough to address it from any process with the same credentials; no method that takes an id takes a region.",
  "ID-02": "`spawn`, `get` and `list` answer one and the same `id` and `nativeId` for one instance.",
  "ID-03": "A bare native id is accepted wherever an id is, and is looked for in every configured region.",
  "ID-04": "Two instances never share an `id` or a `nativeId`.",
  "ID-05":
    "A provider describes itself: a name of lower-case letters, digits and dashes, a tier, a contract version and its limits as numbers, and none of it changes.",
};

/** What a provider says of itself, and what an id is good for. */
export const identityCases: Cases<"identity"> = {
  "identity.description": {
    title: "describes itself by name, tier and limits",
    rules: ["ID-05"],
    run: async ({ subject, another }) => {
      const { name, tier, limits } = subject;
      must(/^[a-z][a-z0-9-]*$/.test(name), "ID-05", `the name is ${shown(name)}`, "Use lower-case letters and dashes.");
      const tiers = ["testing", "additional", "reference"];
      must(tiers.includes(tier), "ID-05", `the tier is ${shown(tier)}`, `Use one of ${tiers.join(", ")}.`);
      const problems = shapeProblems(limits, "limits");
      must(problems.length === 0, "ID-05", problems.join("; "), "Give every limit as a number.");
      mustEqual("ID-05", "another process's name", (await another()).name, name, "Derive nothing from the process.");
    },
  },
  "identity.owner": {
    title: "has a well-formed owner",
    rules: ["OWNER-01"],
    run: async ({ subject, another }) => {
      must(isOwner(subject.owner), "OWNER-01", `the owner is ${shown(subject.owner)}`, "Check it with core's isOwner.");
      const other = await another({ owner: "another-owner" });
      mustEqual("OWNER-01", "the owner asked for", other.owner, "another-owner", "Take the owner from the factory.");
    },
  },
  "identity.contract-version": {
    title: "speaks a contract version that this core takes",
    rules: ["ID-05"],
    run: async ({ subject }) => {
      const outcome = await settled(async () => new ProviderRegistry({ subject: { provider: subject, hooks } }));
      must(outcome.ok, "ID-05", `a registry refuses it: ${shown(errorOf(outcome))}`, "Upgrade the package's core.");
    },
  },
  "identity.flags": {
    title: "answers true or false for each of the eleven capabilities",
    rules: ["CAP-01"],
    run: async ({ subject }) => {
      const wrong = BUILTIN_CAPABILITIES.filter((name) => typeof subject.capabilities[name] !== "boolean");
      must(wrong.length === 0, "CAP-01", `no boolean for ${wrong.join(", ")}`, "Make it with core's defineProvider.");
    },
  },
  "identity.why-not": {
    title: "says in one sentence why a capability is off",
    rules: ["CAP-05"],
    run: async ({ subject }) => {
      const silent = BUILTIN_CAPABILITIES.filter(
        (name) => subject.capabilities[name] === false && (subject.whyNot[name] ?? "").trim() === "",
      );
      must(silent.length === 0, "CAP-05", `no sentence for ${silent.join(", ")}`, "Write it into whyNot.");
    },
  },
  "identity.stable": {
    title: "keeps flags, limits and name while it is used",
    rules: ["CAP-01", "ID-05"],
    run: async ({ subject, spawn, provider }) => {
      const before = JSON.stringify(subject);
      const flags = JSON.stringify(subject.capabilities);
      const { id } = await spawn();
      await provider.terminate(id);
      mustEqual("CAP-01", "a flag", JSON.stringify(subject.capabilities), flags, "Decide flags at construction.");
      mustEqual("ID-05", "the description", JSON.stringify(subject), before, "Decide it at construction.");
    },
  },
  "identity.one-id": {
    title: "answers one id and native id from spawn, get and list",
    rules: ["ID-02"],
    run: async ({ spawn, provider }) => {
      const { id, nativeId } = await spawn();
      const got = await provider.get(id);
      const listed = (await provider.list()).find((instance) => instance.id === id);
      const seen = [got, listed].map((instance) => [instance?.id, instance?.nativeId]);
      const expected = [
        [id, nativeId],
        [id, nativeId],
      ];
      mustEqual("ID-02", "id and native id of get and list", seen, expected, "Compose the id in one place only.");
    },
  },
  "identity.id-elsewhere": {
    title: "finds an instance by its id from another process",
    rules: ["ID-01"],
    run: async ({ spawn, another }) => {
      const { id } = await spawn();
      const found = await (await another()).get(id);
      must(
        found?.id === id,
        "ID-01",
        `another process finds ${shown(found)}`,
        "Put all that addresses it into the id.",
      );
    },
  },
  "identity.native-id": {
    title: "accepts the remote's own id",
    rules: ["ID-03"],
    run: async ({ spawn, provider }) => {
      const { id, nativeId } = await spawn();
      const found = await provider.get(nativeId);
      must(found?.id === id, "ID-03", `get(nativeId) gives ${shown(found)}`, "Look a bare native id up everywhere.");
    },
  },
  "identity.distinct": {
    title: "gives two instances two ids",
    rules: ["ID-04"],
    run: async ({ spawn }) => {
      const [a, b] = [await spawn(), await spawn()];
      must(a.id !== b.id, "ID-04", `both have the id ${a.id}`, "Make the id from the remote's own.");
      must(a.nativeId !== b.nativeId, "ID-04", `both have the native id ${a.nativeId}`, "Ask for a new instance.");
    },
  },
};

// A registry wants hooks; this case asks it about the version alone.
const hooks = {
  onStartup: async (): Promise<void> => undefined,
  onShutdown: async (): Promise<void> => undefined,
  onHeartbeat: async () => ({ receipts: [] }),
};
