import { ok, refuse, refuseMissing } from "./answers.ts";
import { EMULATED_REGIONS, EMULATED_TYPES, EMULATED_ZONES } from "./catalogue.ts";
import { filterOf } from "./filter.ts";
import type { Handler } from "./handler.ts";
import { pageOf } from "./paging.ts";
import { shownOperation, shownRegion, shownZone, time, url } from "./views.ts";
import type { StoredOperation, World } from "./world.ts";

const LONGEST_WAIT_MS = 120_000;

function known(world: World, zone: string, name: string): StoredOperation {
  const now = world.clock.now();
  const found = world.operations.get(name);
  if (found !== undefined && found.zone === zone && found.insertedAt + world.settings.operationLagMs <= now)
    return found;
  return refuseMissing(`projects/${world.settings.project}/zones/${zone}/operations/${name}`);
}

export const readOperation: Handler = (world, { zone, name }) =>
  ok(shownOperation(world, known(world, zone, name), world.clock.now()));

/** At the end of the operation, or after two minutes; at once where the service is busy. */
export const waitForOperation: Handler = async (world, { zone, name, signal }) => {
  const operation = known(world, zone, name);
  const left = operation.doneAt - world.clock.now();
  if (left > 0 && !world.settings.waitReturnsEarly) await world.clock.sleep(Math.min(left, LONGEST_WAIT_MS), signal);
  return ok(shownOperation(world, operation, world.clock.now()));
};

export const listOperations: Handler = (world, { zone, query }) => {
  const now = world.clock.now();
  const matches = filterOf(query.get("filter"));
  const shown = [...world.operations.values()]
    .filter((one) => one.zone === zone)
    .map((one) => shownOperation(world, one, now))
    .filter(matches);
  const { items, nextPageToken } = pageOf(world, shown, query);
  return ok({
    kind: "compute#operationList",
    id: `projects/${world.settings.project}/zones/${zone}/operations`,
    items,
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    selfLink: url(world, `zones/${zone}/operations`),
  });
};

export const listZones: Handler = (world, { query }) => {
  const matches = filterOf(query.get("filter"));
  const { items, nextPageToken } = pageOf(
    world,
    EMULATED_ZONES.map((zone) => shownZone(world, zone)).filter(matches),
    query,
  );
  return ok({
    kind: "compute#zoneList",
    id: `projects/${world.settings.project}/zones`,
    items,
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    selfLink: url(world, "zones"),
  });
};

export const listRegions: Handler = (world, { query }) => {
  const matches = filterOf(query.get("filter"));
  const regions = EMULATED_REGIONS.map((region) => shownRegion(world, region)).filter(matches);
  const { items, nextPageToken } = pageOf(world, regions, query);
  return ok({
    kind: "compute#regionList",
    id: `projects/${world.settings.project}/regions`,
    items,
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    selfLink: url(world, "regions"),
  });
};

export const readZone: Handler = (world, { name }) =>
  EMULATED_ZONES.includes(name)
    ? ok(shownZone(world, name))
    : refuseMissing(`projects/${world.settings.project}/zones/${name}`);

/** The price of now: one interval that began a day ago. */
export const capacityHistory: Handler = (world, { region, body }) => {
  if (!EMULATED_REGIONS.includes(region)) refuseMissing(`projects/${world.settings.project}/regions/${region}`);
  const properties = typeof body === "object" && body !== null ? Reflect.get(body, "instanceProperties") : undefined;
  const name: unknown =
    typeof properties === "object" && properties !== null ? Reflect.get(properties, "machineType") : undefined;
  const type = EMULATED_TYPES.find((each) => each.name === name);
  if (type === undefined)
    return refuse(400, "invalid", `Invalid value for field 'instanceProperties.machineType': '${String(name)}'.`);
  const nanos = Math.round(((type.spotUsd ?? 0) % 1) * 1e9);
  const listPrice = { currencyCode: "USD", units: String(Math.trunc(type.spotUsd ?? 0)), nanos };
  const interval = { startTime: time(world.clock.now() - 86_400_000), endTime: time(world.clock.now()) };
  return ok({
    machineType: type.name,
    location: region,
    ...(type.spotUsd === undefined ? {} : { priceHistory: [{ interval, listPrice }] }),
  });
};
