// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const QUANTITY = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;

/** A quantity as a number; undefined for what is none. */
function numberOf(quantity: string | number | undefined): number | undefined {
  if (quantity === undefined) return undefined;
  const [, digits = "", suffix = ""] = QUANTITY.exec(String(quantity)) ?? [];
  const value = Number(digits) * (FACTORS[suffix] ?? Number.NaN);
  return digits === "" || Number.isNaN(value) ? undefined : value;
}

export function cpusOfQuantity(quantity: string | number | undefined): number | undefined {
  return numberOf(quantity);
}

export function bytesOfQuantity(quantity: string | number | undefined): number | undefined {
  const value = numberOf(quantity);
  return value === undefined ? undefined : Math.round(value);
}

/** Kubernetes counts processors in thousandths. */
export function cpuQuantity(cpus: number): string {
  return `${Math.max(1, Math.round(cpus * 1_000))}m`;
}
