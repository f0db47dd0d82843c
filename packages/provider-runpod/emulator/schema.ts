import { Problem } from "./problem.ts";

/** What is wrong with a value, as RunPod says it: the path, and the sentence. */
export type Rule = (value: unknown, path: string) => readonly string[];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const text: Rule = (value, path) =>
  typeof value === "string" ? [] : [`${path}: got ${kind(value)}, want string`];

export const filled: Rule = (value, path) => (value === "" ? [`${path}: minLength: got 0, want 1`] : text(value, path));

export const flag: Rule = (value, path) =>
  typeof value === "boolean" ? [] : [`${path}: got ${kind(value)}, want boolean`];

export const whole =
  (least: number, most: number = Number.MAX_SAFE_INTEGER): Rule =>
  (value, path) => {
    if (!Number.isInteger(value)) return [`${path}: got ${kind(value)}, want integer`];
    if (Number(value) < least) return [`${path}: minimum: got ${Number(value)}, want ${least}`];
    return Number(value) > most ? [`${path}: maximum: got ${Number(value)}, want ${most}`] : [];
  };

export const oneOf =
  (...words: readonly string[]): Rule =>
  (value, path) =>
    typeof value === "string" && words.includes(value)
      ? []
      : [`${path}: value must be one of ${words.map((word) => `'${word}'`).join(", ")}`];

export const matching =
  (pattern: RegExp): Rule =>
  (value, path) =>
    typeof value === "string" && pattern.test(value) ? [] : [`${path}: does not match pattern '${pattern.source}'`];

export const list =
  (rule: Rule, most: number = Number.MAX_SAFE_INTEGER): Rule =>
  (value, path) => {
    if (!Array.isArray(value)) return [`${path}: got ${kind(value)}, want array`];
    if (value.length > most) return [`${path}: maxItems: got ${value.length}, want ${most}`];
    return value.flatMap((item: unknown, at) => rule(item, `${path}[${at}]`));
  };

export const map =
  (rule: Rule, most: number): Rule =>
  (value, path) => {
    if (!isRecord(value)) return [`${path}: got ${kind(value)}, want object`];
    const entries = Object.entries(value);
    if (entries.length > most) return [`${path}: maxProperties: got ${entries.length}, want ${most}`];
    return entries.flatMap(([name, item]) => rule(item, `${path}.${name}`));
  };

export const nullable =
  (rule: Rule): Rule =>
  (value, path) =>
    value === null ? [] : rule(value, path);

/** An object with these fields and no other. */
export const fields =
  (known: Readonly<Record<string, Rule>>, ...required: readonly string[]): Rule =>
  (value, path) => {
    if (!isRecord(value)) return [`${path}: got ${kind(value)}, want object`];
    const unknown = Object.keys(value).filter((name) => !Object.hasOwn(known, name));
    const missing = required.filter((name) => !Object.hasOwn(value, name));
    return [
      ...(unknown.length === 0
        ? []
        : [`${path}: additional properties ${unknown.map((name) => `'${name}'`).join(", ")} not allowed`]),
      ...missing.map((name) => `${path}: missing property '${name}'`),
      ...Object.entries(known).flatMap(([name, rule]) =>
        Object.hasOwn(value, name) ? rule(value[name], `${path}.${name}`) : [],
      ),
    ];
  };

/** Throws the 422 that names everything that is wrong. */
export function mustFit(value: unknown, rule: Rule): void {
  const errors = rule(value, "$");
  if (errors.length > 0) throw new Problem(422, errors[0] ?? "", { errors });
}

function kind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
