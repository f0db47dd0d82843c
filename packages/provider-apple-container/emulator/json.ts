/** Keys in their order, and no undefined. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]));
}

/** One line, as the lists print it. Some builds write every slash as `\/`. */
export function compact(value: unknown, escapeSlashes: boolean): string {
  const text = JSON.stringify(sorted(value));
  return `${escapeSlashes ? text.replaceAll("/", "\\/") : text}\n`;
}

/** As `inspect` prints it: `"key" : value`, and an empty list over three lines. */
export function pretty(value: unknown): string {
  return `${prettyAt(sorted(value), "")}\n`;
}

function prettyAt(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return `[\n\n${indent}]`;
    return `[\n${value.map((each) => inner + prettyAt(each, inner)).join(",\n")}\n${indent}]`;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return `{\n\n${indent}}`;
    const shown = entries.map(([key, each]) => `${inner}${JSON.stringify(key)} : ${prettyAt(each, inner)}`);
    return `{\n${shown.join(",\n")}\n${indent}}`;
  }
  return JSON.stringify(value);
}

/** ISO 8601 without a fraction. */
export function isoDate(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, "");
}
