import type { z } from "zod";
import { refuse, type Service } from "./answers.ts";
import { read } from "./parameters.ts";
import type { Region, World } from "./world.ts";
import type { XmlFields } from "./xml.ts";

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
