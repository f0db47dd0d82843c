import { z } from "zod";
import { bootstrapConfigShape, bootstrapReportShape, bootstrapScriptShape } from "../bootstrap.ts";
import { isKey } from "../key.ts";
import {
  type AnswerKind,
  type AnswerOf,
  type Fields,
  type FieldsOf,
  fieldName,
  isList,
  isOneOf,
  type RequestKind,
  type Shape,
} from "../shape.ts";

/** ISO 8601 UTC, as every time of the contract. */
export const time: z.ZodISODateTime = z.iso.datetime();

/** Kinds that no check of core's needs: only a schema reads them. */
type WrittenKind = RequestKind | "clusterName" | "checksum" | "size";

const text = z.string().min(1);
const texts = z.record(z.string(), z.string());

// Results are read tolerantly: a field that a newer contract added is dropped, and a number is any number.
const ANSWERS: { readonly [K in AnswerKind]: z.ZodType } = {
  id: text,
  text: z.string(),
  "text or null": z.string().nullable(),
  time,
  "time or null": time.nullable(),
  flag: z.boolean(),
  integer: z.number(),
  above0: z.number(),
  atLeast0: z.number(),
  usd: z.number().nonnegative(),
  texts,
};

const SIMPLE: { readonly [K in Exclude<WrittenKind, "bootstrap" | "report">]: z.ZodType } = {
  text,
  any: z.string(),
  key: z.string().refine(isKey, "must be 1 to 128 printable ASCII characters"),
  name: text,
  clusterName: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and dashes"),
  checksum: z.string().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hex digits"),
  time,
  path: z.string().startsWith("/", "must be an absolute path"),
  publicKey: z.string().regex(/^\S+ \S+[^\r\n]*$/, "must be a public key on one line"),
  flag: z.boolean(),
  above0: z.number().positive(),
  whole: z.int().min(1),
  size: z.int().nonnegative(),
  port: z.int().min(1).max(65_535),
  texts,
  labels: texts,
  signal: z.instanceof(AbortSignal),
};

function answer(shape: Shape<AnswerKind>): z.ZodType {
  if (typeof shape === "string") return ANSWERS[shape];
  if (isOneOf(shape)) return words(shape.oneOf);
  if (isList(shape)) return z.array(answer(shape[0]));
  return z.object(members(shape, answer, (field) => z.exactOptional(field)));
}

function request(shape: Shape<WrittenKind>): z.ZodType {
  if (shape === "bootstrap") return z.union([request(bootstrapScriptShape), request(bootstrapConfigShape)]);
  if (shape === "report") return z.union([z.literal(true), request(bootstrapReportShape)]);
  if (typeof shape === "string") return SIMPLE[shape];
  if (isOneOf(shape)) return words(shape.oneOf);
  if (isList(shape)) return z.array(request(shape[0]));
  // Strict, as all that a user writes: a misspelt name would be ignored in silence.
  return z.strictObject(members(shape, request, (field) => field.optional()));
}

function words(oneOf: Readonly<Record<string, true>>): z.ZodType {
  const [first = "", ...rest] = Object.keys(oneOf);
  return rest.length === 0 ? z.literal(first) : z.enum([first, ...rest]);
}

function members<K extends string>(
  shape: Fields<K>,
  schemaOf: (shape: Shape<K>) => z.ZodType,
  optional: (field: z.ZodType) => z.ZodType,
): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(shape).map(([written, nested]) => {
      const field = schemaOf(nested);
      return [fieldName(written), written.endsWith("?") ? optional(field) : field];
    }),
  );
}

/** The schema of what a provider returns. */
export function answerSchema<T>(shape: AnswerOf<T>): z.ZodType<T> {
  // The shape's type says that it has T's fields, each as T has it, and no other.
  return answer(shape) as z.ZodType<T>;
}

/** The schema of what a user writes. */
export function requestSchema<T>(shape: FieldsOf<T, WrittenKind>): z.ZodType<T> {
  // As above.
  return request(shape) as z.ZodType<T>;
}
