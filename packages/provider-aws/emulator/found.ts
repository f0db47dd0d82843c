import { refuse } from "./answers.ts";
import type { Timeline } from "./timeline.ts";

/** How EC2 speaks of one kind of thing that a request names by id. */
export interface Kind {
  readonly prefix: string;
  readonly malformed: string;
  readonly notFound: string;
  /** The message where one is missing. */
  readonly one: (id: string) => string;
  /** The message where several are. */
  readonly several?: (ids: string) => string;
}

export const INSTANCE: Kind = {
  prefix: "i",
  malformed: "InvalidInstanceID.Malformed",
  notFound: "InvalidInstanceID.NotFound",
  one: (id) => `The instance ID '${id}' does not exist`,
  several: (ids) => `The instance IDs '${ids}' do not exist`,
};
export const VOLUME: Kind = {
  prefix: "vol",
  malformed: "InvalidVolumeID.Malformed",
  notFound: "InvalidVolume.NotFound",
  one: (id) => `The volume '${id}' does not exist.`,
};
export const SNAPSHOT: Kind = {
  prefix: "snap",
  malformed: "InvalidSnapshotID.Malformed",
  notFound: "InvalidSnapshot.NotFound",
  one: (id) => `The snapshot '${id}' does not exist.`,
};
export const IMAGE: Kind = {
  prefix: "ami",
  malformed: "InvalidAMIID.Malformed",
  notFound: "InvalidAMIID.NotFound",
  one: (id) => `The image id '[${id}]' does not exist`,
  several: (ids) => `The image ids '[${ids}]' do not exist`,
};
export const GROUP: Kind = {
  prefix: "sg",
  malformed: "InvalidGroupId.Malformed",
  notFound: "InvalidGroup.NotFound",
  one: (id) => `The security group '${id}' does not exist`,
};
export const SPOT_REQUEST: Kind = {
  prefix: "sir",
  malformed: "InvalidSpotInstanceRequestID.Malformed",
  notFound: "InvalidSpotInstanceRequestID.NotFound",
  one: (id) => `The spot instance request ID '${id}' does not exist`,
};

/** The things of these ids at a moment, each once; refuses if one id is malformed or unknown. */
export function found<T extends object>(
  kind: Kind,
  things: ReadonlyMap<string, Timeline<T>>,
  ids: readonly string[],
  moment: number,
): readonly T[] {
  const unique = [...new Set(ids)];
  for (const id of unique) checkId(kind, id);
  const missing = unique.filter((id) => !things.get(id)?.at(moment));
  const [first] = missing;
  if (first !== undefined) {
    const { several } = kind;
    refuse(kind.notFound, missing.length > 1 && several !== undefined ? several(missing.join(", ")) : kind.one(first));
  }
  return unique.flatMap((id) => things.get(id)?.at(moment) ?? []);
}

function checkId({ prefix, malformed }: Kind, id: string): void {
  const rest = id.startsWith(`${prefix}-`) ? id.slice(prefix.length + 1) : "";
  if (!/^[0-9a-f]{8}([0-9a-f]{9})?$/.test(rest)) refuse(malformed, `Invalid id: "${id}" (expecting "${prefix}-...")`);
}

export function oneFound<T extends object>(
  kind: Kind,
  things: ReadonlyMap<string, Timeline<T>>,
  id: string,
  moment: number,
): T {
  const [thing] = found(kind, things, [id], moment);
  return thing ?? refuse(kind.notFound, kind.one(id));
}
