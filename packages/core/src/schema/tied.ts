import type { z } from "zod";

/**
 * A contract type as a schema infers it: mutable, and `string & {}`, which only serves completion, is `string`. The
 * AbortSignal stays as it is.
 */
export type Plain<T> = T extends AbortSignal
  ? T
  : [string] extends [T]
    ? [T] extends [string]
      ? string
      : Spread<T>
    : Spread<T>;
type Spread<T> = T extends undefined | null | string | number | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : { -readonly [K in keyof T]: Plain<T[K]> };

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

type DifferingField<A, B> = {
  [K in (keyof A | keyof B) & string]: K extends keyof A & keyof B
    ? Same<Pick<A, K>, Pick<B, K>> extends true
      ? never
      : K
    : K;
}[(keyof A | keyof B) & string];

/** What the compiler prints where schema and type differ. */
export type Differs<A, B> = [DifferingField<A, B>] extends [never]
  ? "the schema differs from its contract type"
  : `the schema differs from its contract type in: ${DifferingField<A, B>}`;

/**
 * Ties a schema to its contract type: a field that is missing, foreign, of another type, or optional in one of them alone
 * does not compile.
 */
export function tied<T>(): <S extends z.ZodType>(
  schema: Same<Plain<z.output<S>>, Plain<T>> extends true ? S : Differs<Plain<z.output<S>>, Plain<T>>,
) => z.ZodType<T> {
  // The parameter's type has compared both; it cannot be written as a ZodType<T>, since S is not known to be one.
  return (schema) => schema as unknown as z.ZodType<T>;
}
