import { assertSupports, type Instance, type Provider, type Snapshot } from "@slipway/core";
import { must, mustEqual, mustReject, NotApplicable, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustHaveShape } from "../shape.ts";

type Regional = Provider<Instance, Snapshot, "multiRegion">;
const able = (provider: Provider): Regional => {
  assertSupports(provider, "multiRegion");
  return provider;
};
const ids = (instances: readonly Instance[]): readonly string[] => instances.map(({ id }) => id).sort();

export const regionsRules: Rules<"REGION"> = {
  "REGION-01": "`listRegions` answers the configured regions, each once, and at least one.",
  "REGION-02": "An instance spawned in a region is there, and says so.",
  "REGION-03": "`list` covers all configured regions, and its `region` filter keeps one.",
  "REGION-04":
    "A region that was not configured is INVALID_SPEC before any call, so that nothing runs where `list` does not look.",
  "REGION-05": "A region that fails makes `list` fail with scope `region`.",
};

/** Where instances are, and that list looks everywhere. */
export const regionsCases: Cases<"regions"> = {
  "regions.listed": {
    title: "lists the configured regions, each once",
    rules: ["REGION-01"],
    run: async ({ provider }) => {
      const regions = await able(provider).listRegions();
      must(regions.length > 0, "REGION-01", "there is no region", "List those that the provider was made with.");
      for (const region of regions) mustHaveShape("REGION-01", region, "region");
      const distinct = new Set(regions.map(({ id }) => id)).size;
      mustEqual("REGION-01", "the number of different regions", distinct, regions.length, "List each once.");
    },
  },
  "regions.spawn": {
    title: "spawns in each region and says so",
    rules: ["REGION-02"],
    run: async ({ provider, spawn, watch }) => {
      for (const region of await able(provider).listRegions()) {
        const { id } = await spawn({ region: region.id });
        const seen = await watch(id, (instance) => instance !== null);
        mustEqual("REGION-02", "the instance's region", seen?.region, region.id, "Send the region that was asked for.");
      }
    },
  },
  "regions.list-covers-all": {
    title: "lists the instances of all regions, and gets each by id alone",
    rules: ["REGION-03", "LIST-02", "ID-01"],
    run: async ({ provider, another, spawn }) => {
      const spawned: Instance[] = [];
      for (const region of await able(provider).listRegions()) spawned.push(await spawn({ region: region.id }));
      mustEqual("REGION-03", "list()", ids(await provider.list()), ids(spawned), "Ask every configured region.");
      const other = await another();
      for (const { id } of spawned) {
        const found = await other.get(id);
        must(
          found?.id === id,
          "ID-01",
          `another process finds ${shown(found)} as ${id}`,
          "Put the region into the id.",
        );
      }
    },
  },
  "regions.filter": {
    title: "keeps one region where list is asked for it",
    rules: ["REGION-03"],
    run: async ({ provider, spawn }) => {
      const regional = able(provider);
      const [first, second] = await regional.listRegions();
      if (first === undefined || second === undefined) throw new NotApplicable("only one region is configured");
      const here = await spawn({ region: first.id });
      await spawn({ region: second.id });
      const found = ids(await regional.list({ region: first.id }));
      mustEqual("REGION-03", "list({ region })", found, [here.id], "Apply the filter.");
    },
  },
  "regions.unknown": {
    title: "refuses a region that was not configured",
    rules: ["REGION-04"],
    run: async ({ provider, request, unchanged }) => {
      const regional = able(provider);
      await unchanged("REGION-04", "a spawn in an unknown region", () =>
        mustReject(
          "REGION-04",
          "a spawn in an unknown region",
          () => regional.spawn(request({ region: "atlantis-1" })),
          { codes: ["INVALID_SPEC"], effect: "none" },
          "Compare it with the regions that the provider was made with.",
        ),
      );
    },
  },
  "regions.one-fails": {
    title: "fails with scope region where one region fails",
    rules: ["REGION-05", "LIST-03"],
    needs: ["faults"],
    run: async ({ provider, spawn, harness }) => {
      const failRegion = harness.faults?.failRegion;
      if (failRegion === undefined) throw new NotApplicable("the harness cannot make one region fail");
      const regions = await able(provider).listRegions();
      for (const region of regions) await spawn({ region: region.id });
      failRegion(regions.at(-1)?.id ?? "");
      const error = await mustReject(
        "LIST-03",
        "list while one region fails",
        () => provider.list(),
        { effect: "none" },
        "Let a failed region fail the whole list.",
      );
      mustEqual("REGION-05", "the error's scope", error.scope, "region", "Set the scope where the region is known.");
    },
  },
};
