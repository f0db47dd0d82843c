const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  K: 2 ** 10,
  KI: 2 ** 10,
  M: 2 ** 20,
  MI: 2 ** 20,
  G: 2 ** 30,
  GI: 2 ** 30,
  T: 2 ** 40,
  TI: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** Bytes of `512M`, `4GiB`, `2G` (binary) and `2GB` (decimal); null if it is none, or not above 0. */
export function parseByteSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text);
  if (match === null) return null;
  const unit = (match[2] ?? "").toUpperCase().replace(/IB$/, "I");
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (factor === undefined) return null;
  const bytes = Math.round(Number(match[1]) * factor);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
}

/** `4 GiB`, `1.5 MiB`. */
export function formatByteSize(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < names.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${Number(amount.toFixed(1))} ${names[unit] ?? "B"}`;
}
