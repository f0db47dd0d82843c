import { isKey, isOwner } from "@slipway/core";
import type { Ownership } from "@slipway/provider-kit/driver";
import type { WireInstance } from "./wire.ts";

/** The label by which lists are filtered. Label values hold 63 characters of a-z, 0-9, `_` and `-`: an owner fits, a key does not. */
export const OWNER_LABEL = "slipway-owner";
const KEY_LABEL = "slipway-key";
const ITEM = {
  owner: "slipway-owner",
  key: "slipway-key",
  specHash: "slipway-spec-hash",
  displayName: "slipway-name",
  expiresAt: "slipway-expires-at",
} as const;
/** Google knows no such option: whether an instance may be suspended is told by this item. */
export const HIBERNATION_ITEM = "slipway-hibernation";
const LABELS_ITEM = "slipway-labels";

/** For filters of Slipway and of other tools. The hash of a key is base32: in hex it would be one character too long. */
export function ownershipLabels({ owner, key }: Pick<Ownership, "owner" | "key">): Readonly<Record<string, string>> {
  return {
    [OWNER_LABEL]: owner,
    ...(key === null
      ? {}
      : { [KEY_LABEL]: base32(process.getBuiltinModule("node:crypto").createHash("sha256").update(key).digest()) }),
  };
}

/** The metadata hold everything as it was given. The guest can read them. */
export function ownershipItems(ownership: Ownership): readonly { readonly key: string; readonly value: string }[] {
  const fields = [ITEM.owner, ITEM.key, ITEM.specHash, ITEM.displayName, ITEM.expiresAt];
  const { owner, key, specHash, displayName, expiresAt, labels } = ownership;
  const items = [owner, key, specHash, displayName, expiresAt].flatMap((value, i) =>
    value === undefined || value === null ? [] : [{ key: fields[i] ?? "", value }],
  );
  return [...items, { key: LABELS_ITEM, value: JSON.stringify(labels) }];
}

/** Null for what Slipway has not made. The label has to agree, since lists go by it. */
export function ownershipOf({ labels = {}, metadata }: WireInstance): Ownership | null {
  const items = metadata?.items ?? {};
  const [owner, key] = [items[ITEM.owner], items[ITEM.key]];
  if (!isOwner(owner) || !isKey(key) || labels[OWNER_LABEL] !== owner) return null;
  return {
    owner,
    key,
    specHash: items[ITEM.specHash] ?? "",
    displayName: items[ITEM.displayName],
    expiresAt: items[ITEM.expiresAt],
    labels: labelsIn(items[LABELS_ITEM]),
  };
}

function labelsIn(json: string | undefined): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(json ?? "{}");
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    // Changed by hand: then there are none that were given.
    return {};
  }
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

function base32(bytes: Uint8Array): string {
  let [text, bits, pending] = ["", 0, 0];
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32.charAt((pending >> bits) & 31);
      pending &= (1 << bits) - 1;
    }
  }
  return bits === 0 ? text : text + BASE32.charAt((pending << (5 - bits)) & 31);
}
