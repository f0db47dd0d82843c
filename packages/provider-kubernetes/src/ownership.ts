import { isKey, isOwner, namePrefixFor } from "@slipway/core";
import type { Ownership } from "@slipway/provider-kit/driver";
import * as z from "zod/mini";
import type { WirePod } from "./wire.ts";

type Tags = Readonly<Record<string, string>>;

const PREFIX = "slipway.dev";
export const OWNER_LABEL: string = `${PREFIX}/owner`;
const MANAGED_BY = "app.kubernetes.io/managed-by";
/** Selects every pod that Slipway has made, of any owner. */
export const MANAGED_SELECTOR: string = `${MANAGED_BY}=slipway`;

const LABEL_VALUE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** An owner may begin with a dash, a label's value may not: then it is the owner's hash. */
export function ownerLabel(owner: string): string {
  return LABEL_VALUE.test(owner) ? owner : namePrefixFor(owner).slice(0, -1);
}

/** Labels are for selecting. The truth is in annotations, which hold any text. */
export function ownershipLabels(owner: string): Tags {
  return { [MANAGED_BY]: "slipway", [OWNER_LABEL]: ownerLabel(owner) };
}

export function ownershipAnnotations(ownership: Ownership): Tags {
  const { owner, key, specHash, displayName, expiresAt, labels } = ownership;
  const fields = { owner, key, "spec-hash": specHash, name: displayName, "expires-at": expiresAt };
  return {
    ...Object.fromEntries(
      Object.entries(fields).flatMap(([field, value]) =>
        value === undefined || value === null ? [] : [[`${PREFIX}/${field}`, value] as const],
      ),
    ),
    ...(Object.keys(labels).length === 0 ? {} : { [`${PREFIX}/labels`]: JSON.stringify(labels) }),
  };
}

const labelsSchema = z.record(z.string(), z.string());

/** Null for a pod or claim that Slipway has not made. */
export function ownershipOf({ metadata }: Pick<WirePod, "metadata">): Ownership | null {
  const annotations = metadata.annotations ?? {};
  const read = (field: string): string | undefined => annotations[`${PREFIX}/${field}`];
  const [owner, key] = [read("owner"), read("key")];
  if (metadata.labels?.[MANAGED_BY] !== "slipway" || !isOwner(owner) || !isKey(key)) return null;
  return {
    owner,
    key,
    specHash: read("spec-hash") ?? "",
    displayName: read("name"),
    expiresAt: read("expires-at"),
    labels: labelsIn(read("labels")),
  };
}

/** Somebody may have edited them: then they are none. */
function labelsIn(json: string | undefined): Tags {
  try {
    const parsed = labelsSchema.safeParse(JSON.parse(json ?? "{}"));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
