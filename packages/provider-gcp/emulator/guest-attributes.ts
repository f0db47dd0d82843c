import { ok, refuseMissing } from "./answers.ts";
import type { Handler } from "./handler.ts";
import { url } from "./views.ts";
import { findIn, type StoredInstance, type World } from "./world.ts";

/** As the guest itself writes it, through its metadata server. False where the instance does not allow it. */
export function writeGuestAttribute(world: World, one: StoredInstance, path: string, value: string): boolean {
  const items = one.request.body.metadata?.items ?? [];
  if (!items.some((item) => item.key === "enable-guest-attributes" && item.value?.toUpperCase() === "TRUE"))
    return false;
  world.guestAttributes.set(`${one.id}/${path}`, value);
  return true;
}

export const readGuestAttributes: Handler = (world, { zone, name, query }) => {
  const path = `zones/${zone}/instances/${name}`;
  const found = findIn(world, zone, name);
  if (found === undefined) return refuseMissing(`projects/${world.settings.project}/${path}`);
  const queryPath = query.get("queryPath") ?? "";
  const wanted = `${found.id}/${queryPath}`;
  const items = [...world.guestAttributes].flatMap(([key, value]) => {
    if (key !== wanted && !(wanted.endsWith("/") && key.startsWith(wanted))) return [];
    const [, namespace, ...rest] = key.split("/");
    return [{ namespace, key: rest.join("/"), value }];
  });
  if (items.length === 0) return refuseMissing(queryPath);
  const selfLink = url(world, `${path}/getGuestAttributes/${queryPath}`);
  return ok({ kind: "compute#guestAttributes", queryPath, queryValue: { items }, selfLink });
};
