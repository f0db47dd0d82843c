import type { Instance } from "@slipway/core";
import { honoured } from "../case-context.ts";
import { must, mustEqual, mustReject, NotApplicable, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { eventually } from "../waiting.ts";

const SEVERAL = 7;
const PASSING = 3;
const ids = (instances: readonly Instance[]): readonly string[] => instances.map(({ id }) => id).sort();
// What changes by itself between two reads.
const steady = ({
  status: _s,
  statusReason: _r,
  bootstrap: _b,
  addresses: _a,
  ssh: _h,
  price: _p,
  ...rest
}: Instance) => JSON.stringify(rest, Object.keys(rest).sort());

export const listRules: Rules<"LIST"> = {
  "LIST-01": "`list` answers everything but `terminated`; terminated instances only if the filter asks for them.",
  "LIST-02":
    "`list` is complete: it holds every instance of the owner in every region that the provider was configured with.",
  "LIST-03": "A failed page, a failed region and a remote that is down are errors, never a shorter or an empty answer.",
  "LIST-04": "A filter's fields are joined by AND, the values of one field by OR.",
  "LIST-05": "A filter that the contract does not know is INVALID_SPEC, never ignored.",
  "LIST-06": "`list` tells of an instance what `get` tells of it.",
};

/** What list shows, what it hides, and that it is never a guess. */
export const listCases: Cases<"list"> = {
  "list.complete": {
    title: "lists every instance, each once",
    rules: ["LIST-02"],
    run: async ({ provider, request, settle }) => {
      const spawned = [];
      for (let i = 0; i < SEVERAL; i++) spawned.push(await provider.spawn(request()));
      await settle();
      mustEqual("LIST-02", "list()", ids(await provider.list()), ids(spawned), "Read every page of every region.");
    },
  },
  "list.pages-move": {
    title: "misses nothing that stays while others end",
    rules: ["LIST-02", "CONC-03"],
    run: async ({ provider, request, settle }) => {
      const spawned = [];
      for (let i = 0; i < SEVERAL; i++) spawned.push(await provider.spawn(request()));
      await settle();
      const staying = ids(spawned.slice(PASSING));
      for (const { id } of spawned.slice(0, PASSING)) {
        const end = settled(() => provider.terminate(id));
        const seen = new Set(ids(await provider.list()));
        const ended = await end;
        if (!ended.ok) throw ended.error;
        const missing = staying.filter((each) => !seen.has(each));
        mustEqual("LIST-02", "what list() misses", missing, [], "Read again until two readings agree: pages move.");
      }
    },
  },
  "list.hides-terminated": {
    title: "leaves terminated instances out unless they are asked for",
    rules: ["LIST-01"],
    run: async (context) => {
      const { provider, spawn, settle, watch } = context;
      const [kept, ended] = [await spawn(), await spawn()];
      await provider.terminate(ended.id);
      await settle();
      await watch(ended.id, (instance) => instance === null || instance.status === "terminated");
      const listed = await eventually(
        context,
        () => provider.list(),
        (found) => found.length <= 1,
      );
      mustEqual("LIST-01", "list()", ids(listed), [kept.id], "Hide what is terminated.");
      const asked = await provider.list({ status: ["terminated"] });
      const wrong = asked.filter(({ status }) => status !== "terminated");
      must(wrong.length === 0, "LIST-01", `it shows ${shown(wrong)}`, "Show only what has that status.");
    },
  },
  "list.unknown-state": {
    title: "shows an instance whose state it does not know, until it ends",
    rules: ["LIST-01", "DATA-03"],
    needs: ["unknownState"],
    run: async (context) => {
      const { provider, spawn, settle, watch, harness } = context;
      const one = await spawn();
      await watch(one.id, (instance) => instance?.status === "running");
      await harness.inspector.showUnknownState?.(one.nativeId);
      await settle();
      const all = ids(await provider.list());
      mustEqual("LIST-01", "list()", all, [one.id], "Filter out what has ended, and nothing else.");
      const byKey = await provider.list({ keys: [one.key ?? ""] });
      mustEqual("LIST-01", "list({ keys })", ids(byKey), [one.id], "It may be billed: never leave it out.");
      const statuses = [...byKey, await provider.get(one.id)].map((instance) => instance?.status ?? null);
      const known = statuses.filter((status) => status !== "unknown");
      mustEqual("DATA-03", "what get and list say of it beside unknown", known, [], "Say unknown; guess no status.");
      await provider.terminate(one.id);
    },
  },
  "list.status": {
    title: "filters by status, values joined by OR",
    rules: ["LIST-04"],
    run: async ({ provider, spawn, watch }) => {
      const { id } = await spawn();
      await watch(id, (instance) => instance?.status === "running");
      const running = ids(await provider.list({ status: ["running", "stopped"] }));
      mustEqual("LIST-04", "list({ status: running, stopped })", running, [id], "Join the values by OR.");
      const stopped = await provider.list({ status: ["stopped", "hibernated"] });
      mustEqual("LIST-04", "list({ status: stopped, hibernated })", ids(stopped), [], "Apply the filter.");
    },
  },
  "list.by-id": {
    title: "filters by ids",
    rules: ["LIST-04"],
    run: async ({ provider, spawn }) => {
      const spawned = [await spawn(), await spawn(), await spawn()];
      const wanted = ids(spawned.slice(0, 2));
      mustEqual("LIST-04", "list({ ids })", ids(await provider.list({ ids: wanted })), wanted, "Join values by OR.");
    },
  },
  "list.by-key": {
    title: "filters by keys",
    rules: ["LIST-04"],
    run: async (context) => {
      const keys = [context.key(), context.key(), context.key()];
      const spawned = [];
      for (const key of keys) spawned.push(await context.spawn({ key }));
      const found = await context.provider.list({ keys: keys.slice(0, 2) });
      mustEqual("LIST-04", "list({ keys })", ids(found), ids(spawned.slice(0, 2)), "Join the values by OR.");
    },
  },
  "list.by-label": {
    title: "filters by labels, all of which must match",
    rules: ["LIST-04"],
    run: async (context) => {
      honoured(context, "labels");
      const { provider, spawn, subject } = context;
      if (subject.limits.maxLabels < 2) throw new NotApplicable("the provider takes fewer than two labels");
      const both = await spawn({ labels: { team: "blue", stage: "test" } });
      await spawn({ labels: { team: "blue" } });
      await spawn({ labels: { team: "red", stage: "test" } });
      const found = await provider.list({ labels: { team: "blue", stage: "test" } });
      mustEqual("LIST-04", "list({ labels })", ids(found), [both.id], "Join labels by AND.");
    },
  },
  "list.and": {
    title: "joins fields by AND",
    rules: ["LIST-04"],
    run: async ({ provider, spawn, key, harness }) => {
      const keys = [key(), key()];
      const [a, b] = [await spawn({ key: keys[0] }), await spawn({ key: keys[1] })];
      const none = await provider.list({ ids: [a.id], keys: keys.slice(1) });
      mustEqual("LIST-04", "list({ ids: a, keys: b })", ids(none), [], "Join fields by AND.");
      const one = await provider.list({ ids: [a.id, b.id, harness.unknownId], keys: keys.slice(1) });
      mustEqual("LIST-04", "list({ ids: a, b, keys: b })", ids(one), [b.id], "Join fields by AND.");
    },
  },
  "list.nothing-found": {
    title: "answers an empty list where nothing matches",
    rules: ["LIST-04"],
    run: async ({ provider, spawn, harness }) => {
      await spawn();
      const byId = await provider.list({ ids: [harness.unknownId] });
      const byKey = await provider.list({ keys: ["no such key"] });
      mustEqual("LIST-04", "what is found", ids([...byId, ...byKey]), [], "Answer an empty list, not everything.");
    },
  },
  "list.unknown-filter": {
    title: "refuses a filter that the contract does not know",
    rules: ["LIST-05"],
    run: async ({ subject }) => {
      for (const filter of [{ colour: "blue" }, { status: ["asleep"] }, { keys: "one" }, { ids: [7] }]) {
        await mustReject(
          "LIST-05",
          `list(${shown(filter)})`,
          // A caller without types may give anything.
          () => subject.list(filter as never),
          { codes: ["INVALID_SPEC"], effect: "none" },
          "Make the provider with core's defineProvider.",
        );
      }
    },
  },
  "list.fails-whole": {
    title: "throws where the remote is down, instead of a shorter list",
    rules: ["LIST-03"],
    needs: ["faults"],
    run: async ({ provider, spawn, fault }) => {
      await spawn();
      fault({ operation: "list", when: "before", code: "UNAVAILABLE", times: 50 });
      await mustReject(
        "LIST-03",
        "list while the remote is down",
        () => provider.list(),
        { codes: ["UNAVAILABLE", "NETWORK", "TIMEOUT"], effect: "none" },
        "Let every failed page fail the whole list.",
      );
    },
  },
  "list.same-as-get": {
    title: "tells of an instance what get tells",
    rules: ["LIST-06", "DATA-01"],
    run: async ({ provider, spawn, watch }) => {
      const { id } = await spawn();
      const got = await watch(id, (instance) => instance?.status === "running");
      const [listed] = await provider.list({ ids: [id] });
      must(got != null && listed !== undefined, "LIST-06", "get and list do not both know it", "Read one source.");
      mustEqual("LIST-06", "what list tells", steady(listed), steady(got), "Make both answers by one function.");
    },
  },
};
