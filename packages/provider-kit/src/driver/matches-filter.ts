import type { BaseListFilter, Instance } from "@slipway/core";

/** Does an instance fit a list filter? The owner is not looked at: it was decided before. */
export function matchesFilter(
  instance: Instance,
  filter: BaseListFilter & { readonly region?: string | undefined },
): boolean {
  const { ids, keys, status, labels = {}, region } = filter;
  return (
    (ids === undefined || ids.includes(instance.id) || ids.includes(instance.nativeId)) &&
    (keys === undefined || (instance.key !== null && keys.includes(instance.key))) &&
    (status === undefined ? instance.status !== "terminated" : status.includes(instance.status)) &&
    (region === undefined || instance.region === region) &&
    Object.entries(labels).every(
      ([name, value]) => Object.hasOwn(instance.labels, name) && instance.labels[name] === value,
    )
  );
}
