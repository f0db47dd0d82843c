/** What an answer is made of: a text, a number, a time, and so on. Null: the remote does not tell. */
export type AnswerKind =
  | "id"
  | "text"
  | "text or null"
  | "time"
  | "time or null"
  | "flag"
  | "integer"
  | "above0"
  | "atLeast0"
  | "usd"
  | "texts";
/** What a request is made of. `any` is a text that may be empty; `name` and `labels` know the provider's limits. */
export type RequestKind =
  | "text"
  | "any"
  | "key"
  | "name"
  | "time"
  | "path"
  | "publicKey"
  | "flag"
  | "above0"
  | "whole"
  | "port"
  | "texts"
  | "labels"
  | "signal"
  | "bootstrap"
  | "report";

export interface OneOf {
  readonly oneOf: Readonly<Record<string, true>>;
}
/** The fields of an object; a name that ends in `?` may be absent. */
export interface Fields<K extends string = AnswerKind | RequestKind> {
  readonly [name: string]: Shape<K>;
}
/** How a value of the contract is built, as data: a kind, one of some words, a list, or an object's fields. */
export type Shape<K extends string = AnswerKind | RequestKind> = K | OneOf | readonly [Shape<K>] | Fields<K>;

type NullableKind = "text or null" | "time or null";
type NumberKind = "integer" | "above0" | "atLeast0" | "usd" | "whole" | "port" | "size";
type OtherKind = "flag" | "texts" | "labels" | "signal" | "bootstrap" | "report";
type IsUnion<V, Each = V> = V extends unknown ? ([Each] extends [V] ? false : true) : never;

type ShapeOf<V, K extends string> = [V] extends [AbortSignal]
  ? Extract<K, "signal">
  : [V] extends [boolean]
    ? Extract<K, "flag">
    : [V] extends [number]
      ? Extract<K, NumberKind>
      : [V] extends [string | null]
        ? TextShape<NonNullable<V>, V, K>
        : [V] extends [readonly (infer Item)[]]
          ? readonly [ShapeOf<Item, K>]
          : true extends IsUnion<V>
            ? Extract<K, "bootstrap" | "report">
            : string extends keyof V
              ? Extract<K, "texts" | "labels">
              : FieldsOf<V, K>;
type TextShape<T extends string, V, K> = string extends T
  ? null extends V
    ? Extract<K, NullableKind>
    : Exclude<K, NullableKind | NumberKind | OtherKind>
  : { readonly oneOf: { readonly [Word in T]: true } };

/**
 * The shape of an interface, field by field. A field that is forgotten, foreign, optional in one of them alone or of
 * another type does not compile, nor does a word of a union.
 */
export type FieldsOf<T, K extends string> = {
  readonly [N in keyof T & string as {} extends Pick<T, N> ? `${N}?` : N]: ShapeOf<Exclude<T[N], undefined>, K>;
};
export type AnswerOf<T> = FieldsOf<T, AnswerKind>;
export type RequestShapeOf<T> = FieldsOf<T, RequestKind>;

/**
 * The name without its `?`.
 *
 * @example
 * ```ts
 * fieldName("key?"); // => "key"
 * ```
 */
export function fieldName(written: string): string {
  return written.replace("?", "");
}

/**
 * Is it a list of one shape?
 *
 * @example
 * ```ts
 * isList(["text"]); // => true
 * isList("text"); // => false
 * ```
 */
export function isList<K extends string>(shape: Shape<K>): shape is readonly [Shape<K>] {
  return Array.isArray(shape);
}

/**
 * Is it one of some words?
 *
 * @example
 * ```ts
 * isOneOf({ oneOf: { running: true } }); // => true
 * isOneOf("text"); // => false
 * ```
 */
export function isOneOf<K extends string>(shape: Shape<K>): shape is OneOf {
  return typeof shape === "object" && "oneOf" in shape;
}
