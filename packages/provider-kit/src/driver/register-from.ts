import type { RegisterEnvironment, Runtime } from "@slipway/core";
import { refusals } from "../errors/refusal.ts";

/** A config field that may also stand in an environment variable. */
export interface EnvironmentField {
  readonly variable: string;
  /** Where neither has it: the hint of an AUTH_ERROR. Absent: it may be missing. */
  readonly required?: { readonly message: string; readonly hint: string };
}

type Described = {
  readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[];
};

/** Where and why a config is wrong, without its values. */
export function describeIssue({ issues: [issue] }: Described): string {
  if (issue === undefined) return "unknown";
  const path = (issue.path ?? []).map(String).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

interface Parses<C> {
  readonly safeParse: (value: unknown) => { success: true; data: C } | { success: false; error: Described };
}

/** The config as the schema has it, or INVALID_SPEC. */
export function checkedConfig<C>(provider: string, schema: Parses<C>, config: unknown): C {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw refusals(provider)(
    "INVALID_SPEC",
    "register",
    `the config of ${provider} is wrong: ${describeIssue(parsed.error)}`,
  );
}

/**
 * The same of a factory's options: all but `owner` and `runtime`. `functions`: fields that may also hold a function, which
 * no config file can.
 *
 * @example
 * ```ts
 * const { regions = DEFAULT_REGIONS } = checkedOptions("example", configSchema, options, ["apiKey"]);
 * ```
 */
export function checkedOptions<C, O extends object>(
  provider: string,
  schema: Parses<C>,
  options: O,
  functions: readonly (keyof O & string)[] = [],
): C {
  const isConfig = ([name, value]: readonly [string, unknown]): boolean =>
    name !== "owner" && name !== "runtime" && !(typeof value === "function" && functions.some((each) => each === name));
  return checkedConfig(provider, schema, Object.fromEntries(Object.entries(options).filter(isConfig)));
}

export type EnvironmentFields<C> = { readonly [K in keyof C]?: EnvironmentField };

/** The config, with its required fields in place. */
export type Filled<C, F> = C & {
  readonly [K in keyof C & keyof F as F[K] extends { readonly required: object } ? K : never]-?: NonNullable<C[K]>;
};

/**
 * A config whose absent fields stand in environment variables: for `register`, and for a factory, which reads the same ones.
 * AUTH_ERROR where a required one stands nowhere.
 */
export function fromEnvironment<C extends object, F extends EnvironmentFields<C>>(
  provider: string,
  fields: F,
  given: C,
  variables: Readonly<Record<string, string | undefined>>,
): Filled<C, F> {
  const filled: Record<string, unknown> = Object.fromEntries(Object.entries(given));
  for (const [name, field] of Object.entries<EnvironmentField | undefined>(fields)) {
    if (field === undefined) continue;
    const variable = variables[field.variable];
    if (variable !== "") filled[name] ??= variable;
    if (field.required === undefined || (filled[name] !== undefined && filled[name] !== "")) continue;
    throw refusals(provider)("AUTH_ERROR", "register", field.required.message, { hint: field.required.hint });
  }
  // The loop above has seen to what is required.
  return filled as Filled<C, F>;
}

/** The body of `register`: checks the config, fills what stands in environment variables, and makes the parts. */
export function registerFrom<C extends object, F extends EnvironmentFields<C>, R>(
  provider: string,
  schema: Parses<C>,
  fields: F,
  make: (options: Filled<C, F> & { readonly owner: string; readonly runtime: Partial<Runtime> | undefined }) => R,
): (config: unknown, env: RegisterEnvironment) => Promise<R> {
  return async (config, { owner, variables, runtime }) => {
    const filled = fromEnvironment(provider, fields, checkedConfig(provider, schema, config ?? {}), variables);
    return make({ ...filled, owner, runtime });
  };
}
