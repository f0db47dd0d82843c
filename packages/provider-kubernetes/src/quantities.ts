// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
const DECIMAL = ["k", "M", "G", "T", "P", "E"];
const FACTORS: ReadonlyMap<string, number> = new Map([
  ...[["n", 1e-9] as const, ["u", 1e-6] as const, ["m", 1e-3] as const, ["", 1] as const],
  ...DECIMAL.map((letter, at) => [letter, 1e3 ** (at + 1)] as const),
  ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((letters, at) => [letters, 2 ** (10 * (at + 1))] as const),
]);

const QUANTITY = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;

/** A quantity as a number; undefined for what is none. */
export function numberOfQuantity(quantity: string | number | undefined): number | undefined {
  const [, digits = "", suffix = ""] = QUANTITY.exec(String(quantity ?? "")) ?? [];
  const value = Number(digits) * (FACTORS.get(suffix) ?? Number.NaN);
  return digits === "" || Number.isNaN(value) ? undefined : value;
}

export function bytesOfQuantity(quantity: string | number | undefined): number | undefined {
  const value = numberOfQuantity(quantity);
  return value === undefined ? undefined : Math.round(value);
}

/** Kubernetes counts processors in thousandths. */
export function cpuQuantity(cpus: number): string {
  return `${Math.max(1, Math.round(cpus * 1_000))}m`;
}
