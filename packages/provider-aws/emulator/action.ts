import { z } from "zod";
import { refuse, type Service, type XmlFields } from "./answers.ts";
import type { Region, World } from "./world.ts";

/** One request, as its handler sees it. */
export interface Call {
  readonly world: World;
  readonly region: Region;
  readonly now: number;
  /** The moment whose state a describe sees. */
  readonly seenAt: number;
  /** The parameters as they came, for comparing requests of one client token. */
  readonly raw: unknown;
  /** Ends a dry run here: all that it checks has been checked. */
  readonly endDryRun: () => void;
}

/** One action of the API: what it takes, and what it does. */
export interface Action {
  readonly service: Service;
  readonly perform: (call: Call, parameters: unknown, dryRun: boolean) => XmlFields;
}

export type ActionTable = Readonly<Record<string, Action>>;

interface Options {
  readonly service?: Service;
  /** The handler calls `endDryRun` itself, after it has looked at what the request names. */
  readonly checksDryRun?: true;
}

export function action<T>(
  schema: z.ZodType<T>,
  handler: (call: Call, parameters: T) => XmlFields,
  { service = "ec2", checksDryRun }: Options = {},
): Action {
  return {
    service,
    perform: (call, parameters, dryRun) => {
      const parsed = read(schema, parameters);
      if (dryRun && checksDryRun === undefined) return succeedDry();
      return handler(call, parsed);
    },
  };
}

export function succeedDry(): never {
  return refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
}

// A request of the Query protocol is flat: `Filter.1.Value.2=x`. Here it becomes a tree, and zod judges that.

type Tree = { [name: string]: Tree | string };

/** The parameters of a form as a tree, without Action and Version. */
export function treeOf(form: URLSearchParams): Tree {
  const tree = branch();
  for (const [name, value] of form) {
    if (name === "Action" || name === "Version") continue;
    const parts = name.split(".");
    const last = parts.pop() ?? "";
    let at = tree;
    for (const part of parts) {
      const next = at[part] ?? branch();
      if (typeof next === "string") return refuse("MalformedQueryString", "The query string contains a syntax error");
      at[part] = next;
      at = next;
    }
    if (at[last] !== undefined) return refuse("MalformedQueryString", "The query string contains a syntax error");
    at[last] = value;
  }
  return tree;
}

// Without a prototype: a parameter may bear any name.
function branch(): Tree {
  return Object.create(null);
}

export const text: z.ZodType<string> = z.string();
export const filled: z.ZodType<string> = z.string().min(1);
export const flag: z.ZodType<boolean> = z.enum(["true", "false"]).transform((value) => value === "true");
export const whole: z.ZodType<number> = z
  .string()
  .regex(/^-?\d{1,10}$/, "Must be an integer")
  .transform(Number);
export const moment: z.ZodType<number> = z
  .string()
  .refine((value) => !Number.isNaN(Date.parse(value)), "Must be a time")
  .transform((value) => Date.parse(value));

/** A list: `Name.1`, `Name.2` and so on. */
export function list<T>(of: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.preprocess(indexed, z.array(of));
}

function indexed(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.some(([name]) => !/^[1-9]\d{0,3}$/.test(name))) return value;
  return entries.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item as unknown);
}

export interface FilterParameter {
  readonly Name: string;
  readonly Value: readonly string[];
}

export const filters: z.ZodType<readonly FilterParameter[]> = list(z.strictObject({ Name: filled, Value: list(text) }));

export interface TagParameter {
  readonly Key: string;
  readonly Value?: string | undefined;
}

export const tagList: z.ZodType<readonly TagParameter[]> = list(
  z.strictObject({ Key: filled, Value: text.optional() }),
);

export interface TagSpecification {
  readonly ResourceType: string;
  readonly Tag: readonly TagParameter[];
}

export const tagSpecifications: z.ZodType<readonly TagSpecification[]> = list(
  z.strictObject({ ResourceType: filled, Tag: tagList }),
);

/** What every list action takes beside its own parameters. */
export const paging: {
  readonly MaxResults: z.ZodType<number | undefined>;
  readonly NextToken: z.ZodType<string | undefined>;
} = { MaxResults: whole.optional(), NextToken: text.optional() };

/** The parameters as the schema wants them, or EC2's refusal with the name of the first that is wrong. */
function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map((part) => (typeof part === "number" ? part + 1 : String(part))).join(".");
  if (issue?.code === "unrecognized_keys") {
    const name = [path, issue.keys[0]].filter(Boolean).join(".");
    return refuse("UnknownParameter", `The parameter ${name} is not recognized`);
  }
  if (issue?.input === undefined) return refuse("MissingParameter", `The request must contain the parameter ${path}`);
  const shown = typeof issue.input === "string" ? issue.input : "";
  const why = issue.code === "invalid_type" ? "It has another form." : issue.message;
  return refuse("InvalidParameterValue", `Value (${shown}) for parameter ${path} is invalid. ${why}`);
}
