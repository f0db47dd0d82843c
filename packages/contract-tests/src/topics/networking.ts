import { must, mustReject, NotApplicable, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";

export const networkingRules: Rules<"NET"> = {
  "NET-01": "`spawn({ network })` is accepted and gives an instance.",
  "NET-02": "A malformed network is INVALID_SPEC before any call.",
};

/** Networks of the caller's. */
export const networkingCases: Cases<"networking"> = {
  "networking.accepted": {
    title: "spawns an instance in a network of the caller's",
    rules: ["NET-01"],
    run: async ({ harness, spawn, provider }) => {
      const given = harness.capabilityOptions?.customNetworking;
      if (given === undefined) throw new NotApplicable("the harness has no capabilityOptions for customNetworking");
      const { id } = await spawn(typeof given === "function" ? await given() : given);
      must((await provider.get(id)) !== null, "NET-01", "the instance is not there", "Honour the option.");
    },
  },
  "networking.malformed": {
    title: "refuses a malformed network",
    rules: ["NET-02"],
    run: async ({ subject, request, unchanged }) => {
      for (const network of ["a-network", 7, []]) {
        await unchanged("NET-02", `network: ${shown(network)}`, () =>
          mustReject(
            "NET-02",
            `a spawn with network: ${shown(network)}`,
            // A caller without types may give anything.
            () => subject.spawn(request({ network }) as never),
            { codes: ["INVALID_SPEC"], effect: "none" },
            "Make the provider with core's defineProvider.",
          ),
        );
      }
    },
  },
};
