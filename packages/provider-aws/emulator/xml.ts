/** What an answer holds. A list is written as EC2 writes it: `<name><item>…</item></name>`; null and undefined are left out. */
export type XmlValue = string | number | boolean | null | undefined | readonly XmlValue[] | XmlFields;

export interface XmlFields {
  readonly [name: string]: XmlValue;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escaped(text: string): string {
  return (
    text
      .replaceAll(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign)
      // A carriage return that is not written as a reference is read back as a line feed.
      .replaceAll("\r", "&#13;")
  );
}

export function xmlOf(fields: XmlFields): string {
  return Object.entries(fields)
    .map(([name, value]) => (value === null || value === undefined ? "" : `<${name}>${inside(value)}</${name}>`))
    .join("");
}

function inside(value: Exclude<XmlValue, null | undefined>): string {
  if (isList(value)) return value.map((item) => xmlOf({ item })).join("");
  return typeof value === "object" ? xmlOf(value) : escaped(String(value));
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}
