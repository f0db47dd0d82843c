import type { SpotInstanceRequest } from "@aws-sdk/client-ec2";
import type { SpotMethods, SpotPrice, SpotRequest } from "@slipway/core";
import { afterWrite } from "../call.ts";
import { type AwsContext, type Call, configuredRegion, lookUntilShown } from "../context.ts";
import { nullIfRefused } from "../errors.ts";
import { composeId, nativeIdOf, regionsOf } from "../ids.ts";
import { isInstanceId } from "../lookup.ts";
import type { AWSSpawnOptions } from "../request.ts";

const REQUEST_ID = /^sir-[a-z0-9]{8,17}$/;
const UNKNOWN_REQUEST = /^InvalidSpotInstanceRequestID\.(NotFound|Malformed)$/;

export function spotMethods(context: AwsContext): SpotMethods<AWSSpawnOptions> {
  return {
    requestSpotInstance: (options) => requestSpot(context, options),
    cancelSpotRequest: (id, { signal } = {}) => cancelSpot(context, { operation: "cancelSpotRequest", signal }, id),
    getSpotPrices: async ({ specs, regions } = {}, { signal } = {}) => {
      const call = { operation: "getSpotPrices", signal };
      const prices: SpotPrice[] = [];
      for (const asked of regions ?? context.regions) {
        prices.push(...(await pricesIn(context, call, configuredRegion(context, call.operation, asked), specs)));
      }
      return prices;
    },
  };
}

/**
 * A spawn that asks for interruptible capacity: EC2 fills it or refuses it at once. AWS advises against its older call
 * that leaves a request open: nobody would know when it is filled.
 */
async function requestSpot(context: AwsContext, options: AWSSpawnOptions): Promise<SpotRequest> {
  const instance = await context.lifeCycle().spawn({ ...options, spot: options.spot ?? {} }, "requestSpotInstance");
  // An EC2 that tells no request is one all the same: cancelling by the instance ends both.
  const request = instance.spotRequestId ?? instance.nativeId;
  return { requestId: composeId(instance.region, request), status: "fulfilled", instanceId: instance.id };
}

/** First the request, so that it makes nothing more; then the instance that it made. */
async function cancelSpot(context: AwsContext, call: Call, id: string): Promise<void> {
  const native = nativeIdOf(id);
  if (isInstanceId(id)) return await context.lifeCycle().terminate(id, call, call.operation);
  if (!REQUEST_ID.test(native)) return;
  for (const region of regionsOf(context, id)) {
    const request = await requestById(context, call, region, native);
    const isOver = request?.State === "cancelled" || request?.State === "closed";
    // Also what EC2 does not show: it may be so new that only a write finds it.
    if (!isOver && !(await cancelledIn(context, call, region, native))) continue;
    return await afterWrite(call, "the request is cancelled", async () => {
      const made = request?.InstanceId ?? (await instanceOf(context, call, region, native, isOver));
      if (made !== undefined) await context.lifeCycle().terminate(composeId(region, made), call, call.operation);
    });
  }
}

/** False if there is no such request. */
async function cancelledIn(context: AwsContext, call: Call, region: string, native: string): Promise<boolean> {
  const cancelled = await nullIfRefused(UNKNOWN_REQUEST, () =>
    context.client.send(call, region, "CancelSpotInstanceRequests", { SpotInstanceRequestIds: [native] }),
  );
  return cancelled !== null;
}

/** Null if EC2 does not know it. */
async function requestById(
  context: AwsContext,
  call: Call,
  region: string,
  native: string,
): Promise<SpotInstanceRequest | null> {
  const found = await nullIfRefused(UNKNOWN_REQUEST, () =>
    context.client.send(call, region, "DescribeSpotInstanceRequests", { SpotInstanceRequestIds: [native] }),
  );
  return found?.SpotInstanceRequests?.[0] ?? null;
}

/**
 * The instance of a request that does not name it: it is forgotten sooner than its instance, or so new that neither is
 * shown yet. Then it is looked for as long as reads may lag.
 */
async function instanceOf(
  context: AwsContext,
  call: Call,
  region: string,
  native: string,
  isOver: boolean,
): Promise<string | undefined> {
  const look = async (): Promise<string | undefined> => {
    const instances = await context.lifeCycle().list({ region, owner: "*" }, call, call.operation);
    return instances.find(({ spotRequestId }) => spotRequestId === native)?.nativeId;
  };
  return isOver ? await look() : await lookUntilShown(context, call, look);
}

/** The price of this moment in every zone. EC2 tells for each when it last changed; it holds until it changes again. */
async function pricesIn(
  context: AwsContext,
  call: Call,
  region: string,
  specs: readonly string[] | undefined,
): Promise<readonly SpotPrice[]> {
  if (specs !== undefined && specs.length === 0) return [];
  const now = context.clock.now();
  const rows = await context.client.all(
    call,
    region,
    "DescribeSpotPriceHistory",
    {
      StartTime: new Date(now),
      ProductDescriptions: ["Linux/UNIX"],
      // Names that EC2 does not have are none of the answer, and no failure.
      ...(specs === undefined ? {} : { Filters: [{ Name: "instance-type", Values: [...specs] }] }),
    },
    (page) => page.SpotPriceHistory,
  );
  const asOf = new Date(now).toISOString();
  const latest = new Map<string, { readonly at: number; readonly price: SpotPrice }>();
  for (const { InstanceType: spec, AvailabilityZone: zone, SpotPrice: text, Timestamp } of rows) {
    const usdPerHour = Number(text);
    if (spec === undefined || zone === undefined || !(usdPerHour > 0)) continue;
    const at = Timestamp === undefined ? 0 : new Date(Timestamp).getTime();
    const before = latest.get(`${spec} ${zone}`);
    if (before !== undefined && before.at >= at) continue;
    const price: SpotPrice = { usdPerHour, per: "instance", asOf, source: "live", spec, region, zone };
    latest.set(`${spec} ${zone}`, { at, price });
  }
  return [...latest.values()].map(({ price }) => price);
}
