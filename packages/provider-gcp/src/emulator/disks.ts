import { ok } from "./answers.ts";
import { filterOf } from "./filter.ts";
import type { Handler } from "./handler.ts";
import { pageOf } from "./paging.ts";
import { time, url } from "./views.ts";
import { isVisible, type StoredInstance, type World } from "./world.ts";

/** The disks that instances were made with; there are no others here, and all of them go with their instance. */
export const listAllDisks: Handler = (world, { query, seenAt, scopes }) => {
  const matches = filterOf(query.get("filter"));
  const shown = [...world.instances.values()]
    .filter((one) => isVisible(one, seenAt))
    .flatMap((one) => shownDisks(world, one).map((view) => ({ zone: one.zone, view })))
    .filter(({ view }) => matches(view));
  const { items, nextPageToken } = pageOf(world, shown, query);
  const scoped = scopes.map((zone) => {
    const disks = items.filter((one) => one.zone === zone).map(({ view }) => view);
    const message = `There are no results for scope 'zones/${zone}' on this page.`;
    const empty = {
      warning: { code: "NO_RESULTS_ON_PAGE", message, data: [{ key: "scope", value: `zones/${zone}` }] },
    };
    return [`zones/${zone}`, disks.length > 0 ? { disks } : empty];
  });
  return ok({
    kind: "compute#diskAggregatedList",
    id: `projects/${world.settings.project}/aggregated/disks`,
    items: Object.fromEntries(scoped),
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    selfLink: url(world, "aggregated/disks"),
  });
};

function shownDisks(world: World, one: StoredInstance): readonly Readonly<Record<string, unknown>>[] {
  const zone = url(world, `zones/${one.zone}`);
  return one.request.body.disks.flatMap(({ initializeParams }) => {
    if (initializeParams === undefined) return [];
    const { diskName: name = one.name, diskSizeGb: sizeGb = "10", labels, sourceImage } = initializeParams;
    return [
      {
        kind: "compute#disk",
        // Of the same length as the instance's, and another.
        id: `9${one.id.slice(1)}`,
        creationTimestamp: time(one.createdAt),
        name,
        sizeGb,
        zone,
        status: "READY",
        type: `${zone}/diskTypes/pd-standard`,
        ...(sourceImage === undefined ? {} : { sourceImage: `https://www.googleapis.com/compute/v1/${sourceImage}` }),
        ...(labels === undefined ? {} : { labels }),
        users: [`${zone}/instances/${one.name}`],
        physicalBlockSizeBytes: "4096",
        selfLink: `${zone}/disks/${name}`,
      },
    ];
  });
}
