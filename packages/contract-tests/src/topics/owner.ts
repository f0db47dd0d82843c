import { nameFor } from "@slipway/core";
import { must, mustEqual, mustReject, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";

const OTHER = { owner: "another-owner" } as const;
const ids = (instances: readonly { readonly id: string }[]): readonly string[] => instances.map(({ id }) => id).sort();

export const ownerRules: Rules<"OWNER"> = {
  "OWNER-01": "A provider has an `owner` of 1 to 63 lower-case letters, digits and dashes.",
  "OWNER-02":
    "Owner and key are written in the call that creates the instance: also when its answer is lost, nothing untagged remains.",
  "OWNER-03": "`list()` answers this owner's instances and nobody else's.",
  "OWNER-04":
    "`list({ owner })` answers that owner's instances, and `list({ owner: \"*\" })` everything that bears Slipway's tag.",
  "OWNER-05": "A machine without Slipway's tag is never listed.",
  "OWNER-06":
    "A thing that has our name but not our tag is CONFLICT with effect `none`: it is neither adopted nor changed nor deleted.",
  "OWNER-07": "The same key under two owners names two instances.",
  "OWNER-08":
    "`nameFor(owner, key)` is the only derivation of a remote name: `slip-`, 8 base32 characters of the owner's SHA-256, `-`, 20 of the key's.",
};

/** Whose an instance is, and what is nobody's. */
export const ownerCases: Cases<"owner"> = {
  "owner.lists-own": {
    title: "lists this owner's instances and nobody else's",
    rules: ["OWNER-03"],
    run: async ({ spawn, another, provider }) => {
      const mine = await spawn();
      await spawn({}, await another(OTHER));
      mustEqual("OWNER-03", "list()", ids(await provider.list()), [mine.id], "Filter by the owner's tag.");
    },
  },
  "owner.lists-named": {
    title: "lists another owner's instances when asked for that owner",
    rules: ["OWNER-04"],
    run: async ({ spawn, another, provider }) => {
      await spawn();
      const theirs = await spawn({}, await another(OTHER));
      mustEqual("OWNER-04", "list({ owner })", ids(await provider.list(OTHER)), [theirs.id], "Filter by that owner.");
    },
  },
  "owner.lists-all": {
    title: "lists every owner's instances when asked for `*`",
    rules: ["OWNER-04"],
    run: async ({ spawn, another, provider }) => {
      const both = ids([await spawn(), await spawn({}, await another(OTHER))]);
      const found = ids(await provider.list({ owner: "*" })).filter((id) => both.includes(id));
      mustEqual("OWNER-04", 'list({ owner: "*" })', found, both, "Filter by Slipway's tag alone.");
    },
  },
  "owner.same-key": {
    title: "gives two owners two instances for one key",
    rules: ["OWNER-07"],
    run: async ({ spawn, another, key }) => {
      const shared = { key: key() };
      const mine = await spawn(shared);
      const theirs = await spawn(shared, await another(OTHER));
      must(mine.nativeId !== theirs.nativeId, "OWNER-07", "both got one instance", "Derive names by core's nameFor.");
    },
  },
  "owner.tagged-at-creation": {
    title: "has owner and key on the instance when spawn resolves",
    rules: ["OWNER-02", "KEY-08"],
    run: async ({ provider, request, harness }) => {
      const options = request();
      const { nativeId } = await provider.spawn(options);
      const held = (await harness.inspector.instances()).find((instance) => instance.nativeId === nativeId);
      must(held !== undefined, "OWNER-02", `the inspector does not know ${nativeId}`, "Answer the remote's own id.");
      mustBeTagged(held, provider.owner, options.key);
    },
  },
  "owner.tagged-though-cut-off": {
    title: "has owner and key on an instance whose creation was cut off",
    rules: ["OWNER-02"],
    needs: ["faults"],
    run: async ({ provider, request, harness, fault, census, bornSince }) => {
      fault({ operation: "spawn", when: "reply-lost" });
      const options = request();
      const before = await census();
      await settled(() => provider.spawn(options));
      const born = await bornSince(before);
      for (const held of await harness.inspector.instances()) {
        if (born.includes(held.nativeId)) mustBeTagged(held, provider.owner, options.key);
      }
    },
  },
  "owner.unmanaged-unlisted": {
    title: "never lists a machine without Slipway's tag",
    rules: ["OWNER-05"],
    needs: ["unmanaged"],
    run: async ({ provider, unmanaged, settle }) => {
      const nativeId = await unmanaged();
      await settle();
      const found = [...(await provider.list()), ...(await provider.list({ owner: "*" }))];
      const listed = found.some((instance) => instance.nativeId === nativeId);
      must(!listed, "OWNER-05", `the untagged ${nativeId} is listed`, "List only what bears the tag.");
    },
  },
  "owner.unmanaged-with-our-name": {
    title: "refuses a name that something untagged has, and leaves that alone",
    rules: ["OWNER-06"],
    needs: ["unmanaged"],
    run: async ({ provider, request, harness, unmanaged, settle, unchanged }) => {
      const options = request();
      const nativeId = await unmanaged(nameFor(provider.owner, options.key));
      await settle();
      await unchanged("OWNER-06", "a refused spawn", () =>
        mustReject(
          "OWNER-06",
          "a spawn whose name an unmanaged machine has",
          () => provider.spawn(options),
          { codes: ["CONFLICT"], effect: "none" },
          "Look for the tag before adopting what has the name.",
        ),
      );
      const there = (await harness.inspector.hasUnmanaged?.(nativeId)) ?? true;
      must(there, "OWNER-06", `the unmanaged machine ${nativeId} is gone or changed`, "Touch nothing without the tag.");
    },
  },
};

function mustBeTagged(
  held: { readonly owner: string | null; readonly key: string | null },
  owner: string,
  key: string,
): void {
  const tags = [held.owner ?? owner, held.key ?? key];
  mustEqual("OWNER-02", "owner and key at the remote", tags, [owner, key], "Write both in the creating call.");
  must(
    held.owner !== null || held.key === null,
    "OWNER-02",
    `there is a key without an owner: ${shown(held)}`,
    "Write both.",
  );
}
