import type { HttpAnswer } from "@slipway/provider-kit/emulator";
import { ok, refuse } from "./answers.ts";
import { filterOf } from "./filter.ts";
import type { WireRequest } from "./handler.ts";
import { pageOf } from "./paging.ts";
import { url } from "./views.ts";
import type { World } from "./world.ts";

type View = Readonly<Record<string, unknown>>;

/** One page of a zone's things. */
export function listZone(
  world: World,
  { zone, query }: WireRequest,
  what: { readonly kind: string; readonly of: string; readonly views: readonly View[] },
): HttpAnswer {
  if (world.unreachable.has(zone)) refuse(503, "backendError", `Zone '${zone}' cannot be reached.`);
  const { items, nextPageToken } = pageOf(world, what.views.filter(filterOf(query.get("filter"))), query);
  return ok({
    kind: what.kind,
    id: `projects/${world.settings.project}/zones/${zone}/${what.of}`,
    items,
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    selfLink: url(world, `zones/${zone}/${what.of}`),
  });
}

/** With a version the answer is what can be reached, and says what is missing; without one it is all or nothing. */
export function listEverywhere(
  world: World,
  { query, isVersioned, scopes }: WireRequest,
  what: {
    readonly kind: string;
    readonly of: string;
    readonly views: readonly { readonly zone: string; readonly view: View }[];
  },
): HttpAnswer {
  const partial = query.get("returnPartialSuccess");
  if (isVersioned && partial !== null)
    refuse(400, "invalid", 'Unknown name "returnPartialSuccess": Cannot find field.');
  const matches = filterOf(query.get("filter"));
  const unreachable = scopes.filter((zone) => world.unreachable.has(zone));
  if (unreachable.length > 0 && !isVersioned && partial !== "true") {
    refuse(503, "backendError", "Some scopes cannot be reached.");
  }
  const shown = what.views.filter(({ zone, view }) => !world.unreachable.has(zone) && matches(view));
  const { items, nextPageToken } = pageOf(world, shown, query);
  const scoped = scopes.map((zone) => {
    const here = items.filter((one) => one.zone === zone).map(({ view }) => view);
    if (here.length > 0) return [`zones/${zone}`, { [what.of]: here }];
    const isDown = world.unreachable.has(zone);
    const code = isDown ? "UNREACHABLE" : "NO_RESULTS_ON_PAGE";
    const message = isDown
      ? `The zone '${zone}' cannot be reached.`
      : `There are no results for scope 'zones/${zone}' on this page.`;
    return [`zones/${zone}`, { warning: { code, message, data: [{ key: "scope", value: `zones/${zone}` }] } }];
  });
  return ok({
    kind: what.kind,
    id: `projects/${world.settings.project}/aggregated/${what.of}`,
    items: Object.fromEntries(scoped),
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    ...(unreachable.length === 0
      ? {}
      : { unreachables: unreachable.map((zone) => `projects/${world.settings.project}/zones/${zone}`) }),
    selfLink: url(world, `aggregated/${what.of}`),
  });
}
