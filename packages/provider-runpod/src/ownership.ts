import { isKey, isOwner } from "@slipway/core";
import type { Ownership } from "@slipway/provider-kit/driver";
import type { WirePod } from "./wire.ts";

// Pods have no tags. Their environment can be read back by whoever may read the pod, so the ownership stands there, in
// variables of their own. They are no secret.
const OWNER = "SLIPWAY_OWNER";
const KEY = "SLIPWAY_KEY";
const SPEC_HASH = "SLIPWAY_SPEC_HASH";
const NAME = "SLIPWAY_NAME";
const EXPIRES_AT = "SLIPWAY_EXPIRES_AT";
const LABELS = "SLIPWAY_LABELS";

export function environmentOf(ownership: Ownership): Readonly<Record<string, string>> {
  const { owner, key, specHash, displayName, expiresAt, labels } = ownership;
  return {
    [OWNER]: owner,
    // As JSON: a key may begin or end with spaces, which nobody promises to keep.
    [KEY]: JSON.stringify(key),
    ...(specHash === undefined ? {} : { [SPEC_HASH]: specHash }),
    ...(displayName === undefined ? {} : { [NAME]: displayName }),
    ...(expiresAt === undefined ? {} : { [EXPIRES_AT]: expiresAt }),
    ...(Object.keys(labels).length === 0 ? {} : { [LABELS]: JSON.stringify(labels) }),
  };
}

/** Null for a pod that Slipway has not made. */
export function ownershipOf({ env = {} }: Pick<WirePod, "env">): Ownership | null {
  const { [OWNER]: owner, [SPEC_HASH]: specHash = "", [NAME]: displayName, [EXPIRES_AT]: expiresAt } = env;
  const key = parsed(env[KEY]);
  if (!isOwner(owner) || !isKey(key)) return null;
  return {
    owner,
    key,
    specHash,
    displayName,
    expiresAt: timeIn(expiresAt),
    labels: labelsIn(env[LABELS]),
  };
}

function labelsIn(text: string | undefined): Readonly<Record<string, string>> {
  const value = parsed(text);
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function timeIn(text = ""): string | undefined {
  return UTC.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
}

/** Anybody may have changed the variable: what is no JSON is no ownership. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
