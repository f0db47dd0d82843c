import type { Instance } from "@slipway/core";
import { errorOf, must, mustEqual, mustReject, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { eventually } from "../waiting.ts";

const MALFORMED_IDS = ["", " ", "no such thing!", "../../etc/passwd", "x".repeat(4_096), "nul\0byte", "$(reboot)"];
const leaving = (instance: Instance | null): boolean =>
  instance === null || instance.status === "terminating" || instance.status === "terminated";

export const terminateRules: Rules<"TERM"> = {
  "TERM-01":
    "Once `terminate` has resolved, `get` gives null, `terminating` or `terminated`, except within `limits.readAfterWriteMs`.",
  "TERM-02": "What was terminated ends: the remote holds it no longer.",
  "TERM-03": "`terminate` resolves for ids that are gone, unknown or malformed, as often as it is called.",
  "TERM-04": "`terminate` rejects if the outcome is unclear, and can then be called again.",
  "TERM-05": "`terminate` ends the one instance that it names and no other.",
};

/** How an instance ends. */
export const terminateCases: Cases<"terminate"> = {
  "terminate.gone": {
    title: "shows the instance as terminating, terminated or gone from then on",
    rules: ["TERM-01"],
    run: async ({ spawn, provider, settle, watch }) => {
      const { id } = await spawn();
      await watch(id, (instance) => instance?.status === "running");
      await provider.terminate(id);
      await settle();
      for (let i = 0; i < 3; i++) {
        const seen = await provider.get(id);
        must(leaving(seen), "TERM-01", `get says ${seen?.status}`, "Resolve only when the remote accepted it.");
      }
    },
  },
  "terminate.ends": {
    title: "ends the instance at the remote",
    rules: ["TERM-02", "LIST-01"],
    run: async (context) => {
      const before = await context.census();
      const { id } = await context.spawn();
      await context.provider.terminate(id);
      const left = await eventually(
        context,
        () => context.bornSince(before),
        (found) => found.length === 0,
      );
      mustEqual("TERM-02", "what the inspector still holds", left, [], "End the instance itself, not its record.");
      const listed = await eventually(
        context,
        () => context.provider.list(),
        (found) => found.length === 0,
      );
      mustEqual(
        "LIST-01",
        "list()",
        listed.map((each) => each.status),
        [],
        "Leave terminated instances out.",
      );
    },
  },
  "terminate.unknown": {
    title: "resolves for ids that are unknown or malformed",
    rules: ["TERM-03"],
    run: async ({ provider, harness }) => {
      for (const id of [harness.unknownId, ...MALFORMED_IDS]) {
        const outcome = await settled(() => provider.terminate(id));
        must(outcome.ok, "TERM-03", `${shown(id)} rejects: ${shown(errorOf(outcome))}`, "Take not-found as done.");
      }
    },
  },
  "terminate.repeated": {
    title: "resolves however often it is called",
    rules: ["TERM-03"],
    run: async ({ spawn, provider, settle }) => {
      const { id } = await spawn();
      for (let i = 0; i < 5; i++) {
        const outcome = await settled(() => provider.terminate(id));
        must(outcome.ok, "TERM-03", `call ${i + 1}: ${shown(errorOf(outcome))}`, "Take already-ending as done.");
        await settle();
      }
    },
  },
  "terminate.elsewhere": {
    title: "ends an instance of another process, by id and by native id",
    rules: ["ID-01", "ID-03"],
    run: async (context) => {
      const [a, b] = [await context.spawn(), await context.spawn()];
      const other = await context.another();
      await other.terminate(a.id);
      await other.terminate(b.nativeId);
      await context.settle();
      for (const { id } of [a, b]) {
        const seen = await context.watch(id, leaving);
        must(leaving(seen), id === a.id ? "ID-01" : "ID-03", `get says ${seen?.status}`, "Address it by its id alone.");
      }
    },
  },
  "terminate.spares-others": {
    title: "ends the one instance that it names and no other",
    rules: ["TERM-05"],
    run: async (context) => {
      const { spawn, provider, another, watch, census } = context;
      const [spared, ended] = [await spawn(), await spawn()];
      const other = await another({ owner: "another-owner" });
      const theirs = await spawn({}, other);
      await watch(spared.id, (seen) => seen?.status === "running");
      await provider.terminate(ended.id);
      const { instances } = await eventually(context, census, (seen) => !seen.instances.has(ended.nativeId));
      for (const [by, { id, nativeId }] of [[provider, spared] as const, [other, theirs] as const]) {
        const seen = await by.get(id);
        const there = instances.has(nativeId) && !leaving(seen);
        must(there, "TERM-05", `${nativeId} is ${seen?.status ?? "gone"} too`, "Address it by its full id.");
      }
    },
  },
  "terminate.unclear": {
    title: "rejects where the outcome is unclear, and works when called again",
    rules: ["TERM-04"],
    needs: ["faults"],
    run: async ({ spawn, provider, fault, harness, watch, census }) => {
      const { id, nativeId } = await spawn();
      fault({ operation: "terminate", when: "before", code: "UNAVAILABLE", times: 50 });
      const outcome = await settled(() => provider.terminate(id));
      const there = (await census()).instances.has(nativeId);
      must(!outcome.ok || !there, "TERM-04", "it resolved, and the instance is there", "Reject on every failure.");
      errorOf(outcome);
      harness.faults?.clear();
      await provider.terminate(id);
      must(leaving(await watch(id, leaving)), "TERM-04", "it cannot be ended afterwards", "Keep nothing of a failure.");
    },
  },
  "terminate.no-id": {
    title: "refuses what is no text, from callers without types",
    rules: ["SPAWN-05", "EFFECT-01"],
    run: async ({ spawn, subject, unchanged }) => {
      await spawn();
      for (const id of [undefined, null, 7, {}]) {
        await unchanged("EFFECT-01", `terminate(${shown(id)})`, () =>
          mustReject(
            "SPAWN-05",
            `terminate(${shown(id)})`,
            () => subject.terminate(id as never),
            { codes: ["INVALID_SPEC"], effect: "none" },
            "Make the provider with core's defineProvider.",
          ),
        );
      }
    },
  },
};
