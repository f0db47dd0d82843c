import { z } from "zod";
import { type ActionTable, action, type Call, filled, filters, list, paging, tagList, text } from "./action.ts";
import { refuse } from "./answers.ts";
import { filtered } from "./filters.ts";
import { paged } from "./paging.ts";
import { withTags } from "./tagging.ts";
import type { Tags } from "./things.ts";
import type { Timeline } from "./timeline.ts";
import { allAt, type Region } from "./world.ts";

const MOST_RESOURCES = 1_000;

interface Taggable {
  readonly type: string;
  readonly notFound: string;
  readonly of: (region: Region) => ReadonlyMap<string, Timeline<{ readonly id: string; readonly tags: Tags }>>;
}

// What a resource is follows from how its id begins.
const TAGGABLE: Readonly<Record<string, Taggable>> = {
  i: kind("instance", "InvalidInstanceID.NotFound", ({ instances }) => instances),
  vol: kind("volume", "InvalidVolume.NotFound", ({ volumes }) => volumes),
  snap: kind("snapshot", "InvalidSnapshot.NotFound", ({ snapshots }) => snapshots),
  ami: kind("image", "InvalidAMIID.NotFound", ({ images }) => images),
  sg: kind("security-group", "InvalidGroup.NotFound", ({ groups }) => groups),
  lt: kind("launch-template", "InvalidLaunchTemplateId.NotFound", ({ templates }) => templates),
  sir: kind("spot-instances-request", "InvalidSpotInstanceRequestID.NotFound", ({ spotRequests }) => spotRequests),
};

function kind<T extends { readonly id: string; readonly tags: Tags }>(
  type: string,
  notFound: string,
  of: (region: Region) => ReadonlyMap<string, Timeline<T>>,
): Taggable {
  // A change of tags keeps all else, so that a thing stays what it is.
  return { type, notFound, of: (region) => of(region) as unknown as ReturnType<Taggable["of"]> };
}

const create = z.strictObject({ ResourceId: list(filled), Tag: tagList });
const remove = z.strictObject({
  ResourceId: list(filled),
  Tag: list(z.strictObject({ Key: filled, Value: text.optional() })).optional(),
});
const describe = z.strictObject({ Filter: filters.optional(), ...paging });

export const tagActions: ActionTable = {
  CreateTags: action(create, (call, { ResourceId, Tag }) => {
    if (Tag.length === 0) refuse("MissingParameter", "The request must contain the parameter tag");
    change(call, ResourceId, (tags) => withTags(tags, Tag));
    return { return: true };
  }),
  DeleteTags: action(remove, (call, { ResourceId, Tag }) => {
    change(call, ResourceId, (tags) => without(tags, Tag));
    return { return: true };
  }),
  DescribeTags: action(describe, ({ region, seenAt }, { Filter, ...page }) => {
    const all = Object.values(TAGGABLE).flatMap(({ type, of }) =>
      allAt(of(region), seenAt).flatMap(({ id, tags }) =>
        Object.entries(tags).map(([key, value]) => ({ id, type, key, value, tags: {} })),
      ),
    );
    const { items, nextToken } = paged(
      "DescribeTags",
      filtered(all, Filter, {
        "resource-id": ({ id }) => [id],
        "resource-type": ({ type }) => [type],
        key: ({ key }) => [key],
        value: ({ value }) => [value],
      }),
      page,
    );
    const tagSet = items.map(({ id, type, key, value }) => ({ resourceId: id, resourceType: type, key, value }));
    return { tagSet, nextToken };
  }),
};

/** All are changed, or none. */
function change({ region, now, world }: Call, ids: readonly string[], patch: (tags: Tags) => Tags): void {
  if (ids.length === 0) refuse("MissingParameter", "The request must contain the parameter resourceIdSet");
  if (ids.length > MOST_RESOURCES) refuse("InvalidParameterValue", `At most ${MOST_RESOURCES} resources may be given.`);
  const lines = ids.map((id) => {
    const taggable = TAGGABLE[id.split("-")[0] ?? ""];
    if (taggable === undefined) return refuse("InvalidID", `The ID '${id}' is not valid`);
    const line = taggable.of(region).get(id);
    const thing = line?.at(now);
    if (line === undefined || !thing) return refuse(taggable.notFound, `The ID '${id}' does not exist`);
    patch(thing.tags);
    return line;
  });
  for (const line of lines) line.amend(now, (thing) => ({ ...thing, tags: patch(thing.tags) }));
  world.changes += 1;
}

function without(
  tags: Tags,
  removed: readonly { readonly Key: string; readonly Value?: string | undefined }[] | undefined,
): Tags {
  return Object.fromEntries(
    Object.entries(tags).filter(
      ([key, value]) =>
        removed?.some((one) => one.Key === key && (one.Value === undefined || one.Value === value)) === false,
    ),
  );
}
