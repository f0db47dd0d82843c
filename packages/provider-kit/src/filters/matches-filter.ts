import type { BaseListFilter, Instance } from "@slipway/core";

/** Is a value one of these? Everything is where none are named. A set: many names cost each value no more than few. */
export function isOneOf<T>(wanted: readonly T[] | undefined): (value: T | null) => boolean {
  if (wanted === undefined) return () => true;
  const set = new Set(wanted);
  return (value) => value !== null && set.has(value);
}

/** Does an instance fit a list filter? The owner is not looked at: it was decided before. */
export function matcherOf(
  filter: BaseListFilter & { readonly region?: string | undefined },
): (instance: Instance) => boolean {
  const { status, labels = {}, region } = filter;
  const [isId, isKey] = [isOneOf(filter.ids), isOneOf(filter.keys)];
  const isStatus = status === undefined ? ({ status: now }: Instance) => now !== "terminated" : isStatusOf(status);
  const wanted = Object.entries(labels);
  return (instance) =>
    (isId(instance.id) || isId(instance.nativeId)) &&
    isKey(instance.key) &&
    isStatus(instance) &&
    (region === undefined || instance.region === region) &&
    wanted.every(([name, value]) => Object.hasOwn(instance.labels, name) && instance.labels[name] === value);
}

function isStatusOf(status: readonly Instance["status"][]): (instance: Instance) => boolean {
  const isWanted = isOneOf(status);
  return (instance) => isWanted(instance.status);
}
