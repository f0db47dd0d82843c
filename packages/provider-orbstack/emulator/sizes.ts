import { Refusal } from "./answer.ts";

const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Bytes of `64G`, `2048M`; a bare number counts in `unit` bytes. */
export function sizeIn(text: string, flag: string, unit: number): number {
  const [, digits, letter] = /^(\d+)([KMGT])?(?:i?B)?$/i.exec(text) ?? [];
  if (digits === undefined) throw new Refusal(`invalid argument "${text}" for "${flag}" flag`);
  const factor = letter === undefined ? unit : UNITS[letter.toUpperCase()];
  return Number(digits) * (factor ?? unit);
}

/** As the table shows it. */
export function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
