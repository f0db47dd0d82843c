import { assertSupports, type Instance, type Provider, type Snapshot, type SpotRequest } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { errorOf, must, mustEqual, NotApplicable, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustHaveShape } from "../shape.ts";
import { eventually } from "../waiting.ts";

type Bidding = Provider<Instance, Snapshot, "spot">;
const able = (provider: Provider): Bidding => {
  assertSupports(provider, "spot");
  return provider;
};

export const spotRules: Rules<"SPOT"> = {
  "SPOT-01": "`spawn({ spot })` gives an instance whose `isSpot` is true.",
  "SPOT-02":
    "`requestSpotInstance` answers a request; once it is `fulfilled`, its `instanceId` is an instance as every other.",
  "SPOT-03": "The same key answers the same request and makes no second instance.",
  "SPOT-04":
    "`cancelSpotRequest` ends the request and also an instance that it made; it resolves for requests that are gone or unknown.",
  "SPOT-05": "`getSpotPrices` answers prices above zero with their time and source, and filters by spec and region.",
};

/** Interruptible capacity. */
export const spotCases: Cases<"spot"> = {
  "spot.spawned": {
    title: "spawns an interruptible instance and says so",
    rules: ["SPOT-01", "SPAWN-12"],
    run: async ({ spawn, provider }) => {
      const { id, isSpot } = await spawn({ spot: {} });
      const seen = [isSpot, (await provider.get(id))?.isSpot];
      mustEqual("SPOT-01", "isSpot", seen, [true, true], "Ask for interruptible capacity, and tell it.");
    },
  },
  "spot.requested": {
    title: "answers a request whose instance is one as every other",
    rules: ["SPOT-02"],
    run: async (context) => {
      const { request, instance } = await fulfilled(context);
      mustHaveShape("SPOT-02", request, "spotRequest");
      must(instance.isSpot, "SPOT-02", "isSpot is false", "Tell that it is interruptible.");
    },
  },
  "spot.same-key": {
    title: "answers the same request for the same key",
    rules: ["SPOT-03"],
    run: async (context) => {
      const { request, options } = await fulfilled(context);
      const again = await able(context.provider).requestSpotInstance(options);
      mustEqual("SPOT-03", "the second request", again.requestId, request.requestId, "Look the key up first.");
      await context.settle();
      const found = await context.provider.list({ keys: [options.key] });
      mustEqual("SPOT-03", "the number of instances", found.length, 1, "Look the key up first.");
    },
  },
  "spot.cancelled": {
    title: "ends the request and its instance, however often it is asked to",
    rules: ["SPOT-04"],
    run: async (context) => {
      const { request, instance } = await fulfilled(context);
      for (let i = 0; i < 3; i++) {
        const outcome = await settled(() => able(context.provider).cancelSpotRequest(request.requestId));
        must(outcome.ok, "SPOT-04", `call ${i + 1}: ${shown(errorOf(outcome))}`, "Take cancelled as done.");
      }
      const left = await eventually(context, context.census, ({ instances }) => !instances.has(instance.nativeId));
      must(!left.instances.has(instance.nativeId), "SPOT-04", "its instance goes on", "End the instance too.");
    },
  },
  "spot.cancel-unknown": {
    title: "resolves for a request that never was",
    rules: ["SPOT-04"],
    run: async ({ provider }) => {
      const outcome = await settled(() => able(provider).cancelSpotRequest("no-such-request"));
      must(outcome.ok, "SPOT-04", `it rejects: ${shown(errorOf(outcome))}`, "Take not-found as done.");
    },
  },
  "spot.prices": {
    title: "answers prices above zero with their time and source",
    rules: ["SPOT-05", "DATA-03"],
    run: async ({ provider }) => {
      const prices = await able(provider).getSpotPrices();
      must(prices.length > 0, "SPOT-05", "there is no price", "Answer those of the specs that can be spawned.");
      for (const price of prices) mustHaveShape("SPOT-05", price, "spotPrice");
    },
  },
  "spot.prices-filtered": {
    title: "filters prices by spec and by region",
    rules: ["SPOT-05"],
    run: async ({ provider }) => {
      const bidding = able(provider);
      const [first] = await bidding.getSpotPrices();
      if (first === undefined) throw new NotApplicable("there is no price");
      const filtered = await bidding.getSpotPrices({ specs: [first.spec], regions: [first.region] });
      const right = filtered.filter(({ spec, region }) => spec === first.spec && region === first.region);
      must(right.length > 0, "SPOT-05", "the filter finds nothing", "Join fields by AND.");
      mustEqual("SPOT-05", "the number of prices", filtered.length, right.length, "Apply the filter.");
      const none = await bidding.getSpotPrices({ specs: ["no-such-spec"] });
      mustEqual("SPOT-05", "prices of an unknown spec", none.length, 0, "Apply the filter.");
    },
  },
};

async function fulfilled(context: CaseContext): Promise<{
  readonly options: ReturnType<CaseContext["request"]>;
  readonly request: SpotRequest;
  readonly instance: Instance;
}> {
  const provider = able(context.provider);
  const options = context.request();
  const request = await provider.requestSpotInstance(options);
  const found = await eventually(
    context,
    () => provider.list({ keys: [options.key] }),
    (instances) => instances.length > 0,
  );
  const [instance] = found;
  must(instance !== undefined, "SPOT-02", `the request stays without an instance: ${shown(request)}`, "Fill it.");
  if (request.instanceId !== null) {
    mustEqual("SPOT-02", "the instance of the request", instance.id, request.instanceId, "Tell the instance's id.");
  }
  return { options, request, instance };
}
