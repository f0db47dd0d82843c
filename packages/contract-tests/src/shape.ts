import {
  type AnswerKind,
  type AnswerName,
  answerShapes,
  fieldName,
  isList,
  isOneOf,
  type Shape,
} from "@slipway/core/shapes";
import { must, shown } from "./conformance-failure.ts";
import type { RuleId } from "./ids.ts";

/** What is wrong with a value, as the end of a sentence; null if nothing is. */
type Check = (value: unknown) => string | null;

const NO_TIME = "is no time as 2026-01-31T12:00:00Z";
const text: Check = (value) => (typeof value === "string" && value !== "" ? null : "is no text");
const flag: Check = (value) => (typeof value === "boolean" ? null : "is neither true nor false");
const amount: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? null : "is no number of at least 0";
const above0: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value > 0
    ? null
    : "is not above 0: leave out what is not known";
const whole: Check = (value) => (Number.isInteger(value) ? null : "is no whole number");
const time: Check = (value) =>
  typeof value === "string" &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) &&
  !Number.isNaN(Date.parse(value))
    ? null
    : NO_TIME;
const texts: Check = (value) =>
  typeof value === "object" && value !== null && Object.values(value).every((item) => typeof item === "string")
    ? null
    : "does not map names to texts";

const CHECKS: { readonly [K in AnswerKind]: Check } = {
  id: text,
  text,
  "text or null": (value) => (value === null ? null : text(value)),
  time,
  "time or null": (value) => (value === null ? null : time(value)),
  flag,
  integer: whole,
  above0,
  atLeast0: amount,
  usd: above0,
  texts,
};

/** Everything that is wrong with an answer; empty if it is as the contract says. */
export function shapeProblems(value: unknown, shape: AnswerName): readonly string[] {
  return problemsOf(value, answerShapes[shape], shape);
}

/** What a provider adds beside the contract's fields is its own. */
function problemsOf(value: unknown, shape: Shape<AnswerKind>, path: string): readonly string[] {
  if (typeof shape === "string") return asProblems(CHECKS[shape](value), value, path);
  if (isOneOf(shape)) {
    const words = Object.keys(shape.oneOf);
    return asProblems(words.some((word) => word === value) ? null : `is none of ${words.join(", ")}`, value, path);
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return asProblems("is no list", value, path);
    return value.flatMap((item, index) => problemsOf(item, shape[0], `${path}[${index}]`));
  }
  if (typeof value !== "object" || value === null) return [`${path} is no object: ${shown(value)}`];
  return Object.entries(shape).flatMap(([written, nested]) => {
    const name = fieldName(written);
    const member: unknown = Reflect.get(value, name);
    if (member === undefined) return written.endsWith("?") ? [] : [`${path}.${name} is missing`];
    return problemsOf(member, nested, `${path}.${name}`);
  });
}

function asProblems(wrong: string | null, value: unknown, path: string): readonly string[] {
  return wrong === null ? [] : [`${path} ${wrong}: ${shown(value)}`];
}

/** The answer has the contract's fields and survives JSON unchanged. */
export function mustHaveShape(rule: RuleId, value: unknown, shape: AnswerName): void {
  const problems = shapeProblems(value, shape);
  const times = problems.filter((problem) => problem.includes(NO_TIME));
  must(times.length === 0, "DATA-02", times.join("; "), "Answer what Date.prototype.toISOString gives.");
  must(problems.length === 0, rule, problems.join("; "), "Answer the contract's fields; leave out what is not known.");
  mustBeJsonSafe(value, shape);
}

/** Nothing is lost on the way through JSON: no Date, no Map, no class, no NaN. */
export function mustBeJsonSafe(value: unknown, what: string): void {
  const unsafe = jsonProblem(value, what);
  must(unsafe === null, "DATA-01", `${unsafe}`, "Answer plain objects, arrays, texts, numbers, booleans and null.");
}

function jsonProblem(value: unknown, path: string): string | null {
  if (value === null || typeof value === "string" || typeof value === "boolean" || value === undefined) return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : `${path} is ${value}`;
  if (typeof value !== "object") return `${path} is a ${typeof value}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    return `${path} is no plain object`;
  }
  for (const [name, member] of Object.entries(value)) {
    const problem = jsonProblem(member, `${path}.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}
