import type { TagParameter, TagSpecification } from "./action.ts";
import { refuse, refuseValue, type XmlValue } from "./answers.ts";
import type { Tags } from "./things.ts";

const MOST = 50;
const KEY_MAX = 128;
const VALUE_MAX = 256;

/** Tags beside those that are there, or EC2's refusal of the first that breaks a rule. */
export function withTags(before: Tags, added: readonly TagParameter[]): Tags {
  const seen = new Set<string>();
  for (const { Key, Value = "" } of added) {
    if (seen.has(Key)) refuse("InvalidParameterValue", `Duplicate tag key '${Key}' specified.`);
    seen.add(Key);
    if (Key.toLowerCase().startsWith("aws:")) {
      refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
    }
    if (Key.length > KEY_MAX)
      refuse("InvalidParameterValue", `Tag key exceeds the maximum length of ${KEY_MAX} characters`);
    if (Value.length > VALUE_MAX) {
      refuse("InvalidParameterValue", `Tag value exceeds the maximum length of ${VALUE_MAX} characters`);
    }
  }
  const after = { ...before, ...Object.fromEntries(added.map(({ Key, Value = "" }) => [Key, Value])) };
  if (Object.keys(after).length > MOST) refuse("TagLimitExceeded", `More than ${MOST} tags specified`);
  return after;
}

/** The tags for one type of resource in a request that makes several. */
export function tagsFor(resourceType: string, specifications: readonly TagSpecification[] = []): Tags {
  return withTags({}, specifications.find(({ ResourceType }) => ResourceType === resourceType)?.Tag ?? []);
}

/** A request may tag only what it makes, and each type once. */
export function checkSpecifications(
  specifications: readonly TagSpecification[] | undefined,
  allowed: readonly string[],
): void {
  const seen = new Set<string>();
  for (const { ResourceType, Tag } of specifications ?? []) {
    if (!allowed.includes(ResourceType)) {
      refuse("InvalidParameterValue", `'${ResourceType}' is not a valid taggable resource type for this operation.`);
    }
    if (seen.has(ResourceType)) refuseValue(ResourceType, "ResourceType", "Duplicate resource type.");
    if (Tag.length === 0) refuse("MissingParameter", "The request must contain the parameter tag");
    seen.add(ResourceType);
    withTags({}, Tag);
  }
}

export function tagSet(tags: Tags): XmlValue {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
