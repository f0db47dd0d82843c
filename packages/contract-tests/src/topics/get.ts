import { must, mustEqual, mustReject, mustResolve, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustHaveShape } from "../shape.ts";

const MALFORMED_IDS = ["", " ", "no such thing!", "../../etc/passwd", "x".repeat(4_096), "nul\0byte", "$(reboot)"];

export const getRules: Rules<"GET"> = {
  "GET-01": "`get` gives null if the remote says that there is no such instance, and for a malformed id.",
  "GET-02":
    "Every other failure of `get` throws: null is never a guess, and a not-found is believed only in the remote's own words.",
  "GET-03": "`get` tells of an instance what `spawn` told of it, as far as that does not change by itself.",
};

/** What one instance is told to be. */
export const getCases: Cases<"get"> = {
  "get.unknown": {
    title: "gives null for an instance that never was",
    rules: ["GET-01"],
    run: async ({ provider, harness }) => {
      const next = "Answer null for a clear not-found.";
      const found = await mustResolve("GET-01", "get(unknownId)", () => provider.get(harness.unknownId), next);
      must(found === null, "GET-01", `get(unknownId) gives ${shown(found)}`, next);
    },
  },
  "get.malformed": {
    title: "gives null for a malformed id, without taking it for another",
    rules: ["GET-01"],
    run: async ({ provider, spawn }) => {
      await spawn();
      for (const id of MALFORMED_IDS) {
        const outcome = await settled(() => provider.get(id));
        const told = outcome.ok ? outcome.value : outcome.error;
        must(told === null, "GET-01", `get(${shown(id)}) gives ${shown(told)}`, "Check the id's form first.");
      }
    },
  },
  "get.fails-loudly": {
    title: "throws where the remote cannot be asked",
    rules: ["GET-02"],
    needs: ["faults"],
    run: async ({ provider, spawn, fault }) => {
      const { id } = await spawn();
      fault({ operation: "get", when: "before", code: "UNAVAILABLE", times: 50 });
      await mustReject(
        "GET-02",
        "get while the remote is down",
        () => provider.get(id),
        { codes: ["UNAVAILABLE", "NETWORK", "TIMEOUT"], effect: "none" },
        "Answer null only for a clear not-found.",
      );
    },
  },
  "get.foreign-not-found": {
    title: "takes a not-found that is not the remote's own for a failure, and so does terminate",
    rules: ["GET-02", "TERM-04"],
    needs: ["foreignNotFound"],
    run: async ({ provider, spawn, harness, census }) => {
      const { id, nativeId } = await spawn();
      const next = "Believe only the remote's own documented words: a gateway and a wrong address answer 404, too.";
      harness.foreignNotFound?.(true);
      try {
        await mustReject("GET-02", "get behind such a gateway", () => provider.get(id), { effect: "none" }, next);
        await mustReject("TERM-04", "terminate behind such a gateway", () => provider.terminate(id), {}, next);
      } finally {
        harness.foreignNotFound?.(false);
      }
      must((await census()).instances.has(nativeId), "TERM-04", "the instance is gone", "Change nothing on a failure.");
    },
  },
  "get.same-as-spawn": {
    title: "tells what spawn told",
    rules: ["GET-03"],
    run: async ({ provider, spawn }) => {
      const spawned = await spawn();
      const got = await provider.get(spawned.id);
      for (const field of ["id", "nativeId", "key", "owner", "provider", "isSpot", "createdAt", "labels"] as const) {
        if (spawned[field] === null) continue;
        mustEqual("GET-03", field, got?.[field], spawned[field], "Make both answers by one function.");
      }
    },
  },
  "get.shape": {
    title: "answers a running instance in the contract's fields",
    rules: ["DATA-01", "DATA-02"],
    run: async ({ spawn, watch }) => {
      const { id } = await spawn();
      const instance = await watch(id, (seen) => seen?.status === "running");
      mustHaveShape("DATA-01", instance, "instance");
    },
  },
};
