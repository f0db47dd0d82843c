import {
  BUILTIN_CAPABILITIES,
  canExec,
  canLog,
  canOpenTerminal,
  canReadBootstrap,
  capabilityTable,
  type Instance,
  projectInstance,
  projectProvider,
} from "@slipway/core";
import { must, mustEqual } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustBeJsonSafe, mustHaveShape } from "../shape.ts";

const CORE_MEMBERS = [
  "name",
  "owner",
  "contractVersion",
  "tier",
  "capabilities",
  "limits",
  "whyNot",
  "refuses",
  "spawn",
  "terminate",
  "list",
  "get",
  "generateBootstrap",
];

export const projectionRules: Rules<"PROJ"> = {
  "PROJ-01": "Through projection only the contract's fields are answered, in plain objects.",
  "PROJ-02":
    "Through projection only the contract's methods, those of the capabilities that are on, `exec`, `terminalCommand`, `logs` and `readBootstrap` are there.",
  "PROJ-03": "A projected provider tells in every contract field the same as the exact one.",
  "PROJ-04":
    "By a written name a registry answers the exact provider; by a name from data the erased and projected one.",
};

/** What is left of a provider where only the contract counts. */
export const projectionCases: Cases<"projection"> = {
  "projection.fields": {
    title: "answers the contract's fields alone, as plain data",
    rules: ["PROJ-01", "DATA-01"],
    run: async ({ harness, spawn }) => {
      const { id } = await spawn();
      const instance = await projectProvider(harness.registration.provider).get(id);
      must(instance !== null, "PROJ-01", "the projected provider does not find it", "Find it by its id alone.");
      mustHaveShape("PROJ-01", instance, "instance");
      mustBeJsonSafe(instance, "the projected instance");
      const allowed = Object.keys(projectInstance(instance));
      const extra = Object.keys(instance).filter((field) => !allowed.includes(field));
      mustEqual("PROJ-01", "fields beyond the contract", extra, [], "Project with core's projectProvider.");
    },
  },
  "projection.members": {
    title: "has the contract's methods alone, and those of its capabilities",
    rules: ["PROJ-02"],
    run: async ({ harness }) => {
      const provider = harness.registration.provider;
      const unlocked = BUILTIN_CAPABILITIES.filter((name) => provider.capabilities[name]).flatMap((name) =>
        Object.keys(capabilityTable[name].methods),
      );
      const extras = [
        ...(canExec(provider) ? ["exec"] : []),
        ...(canOpenTerminal(provider) ? ["terminalCommand"] : []),
        ...(canLog(provider) ? ["logs"] : []),
        ...(canReadBootstrap(provider) ? ["readBootstrap"] : []),
      ];
      const expected = new Set([...CORE_MEMBERS, ...unlocked, ...extras]);
      const members = new Set(Object.keys(projectProvider(provider)));
      const missing = [...expected].filter((name) => !members.has(name));
      mustEqual("PROJ-02", "members that are missing", missing, [], "Give the provider what its flags promise.");
      const third = Object.keys(provider.capabilities).length > BUILTIN_CAPABILITIES.length;
      const more = [...members].filter((name) => !expected.has(name));
      must(third || more.length === 0, "PROJ-02", `${more.join(", ")} is there`, "Project with projectProvider.");
    },
  },
  "projection.same": {
    title: "tells in every contract field what the exact provider tells",
    rules: ["PROJ-03"],
    run: async ({ harness, spawn, watch }) => {
      const { id } = await spawn();
      await watch(id, (instance) => instance?.status === "running");
      const exact = await harness.registration.provider.get(id);
      const projected = await projectProvider(harness.registration.provider).get(id);
      must(exact !== null && projected !== null, "PROJ-03", "one of them does not find it", "Find it by its id alone.");
      // A live price is asked for at every read, and says when.
      const fields = Object.keys(projected).filter((field) => field !== "price");
      // The keys of a projected instance are those of Instance.
      for (const field of fields as (keyof Instance)[]) {
        const raw: unknown = exact[field];
        const same = typeof raw === "object" && raw !== null ? Object.entries(raw).sort() : raw;
        const told: unknown = projected[field];
        const copy = typeof told === "object" && told !== null ? Object.entries(told).sort() : told;
        mustEqual("PROJ-03", field, copy, same, "Answer plain data in the contract's fields.");
      }
    },
  },
};
