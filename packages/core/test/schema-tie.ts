// The tie between a schema and its contract type holds in both directions.
import { z } from "zod";
import { tied } from "../src/schema/tied.ts";

interface Contract {
  readonly id: string;
  readonly kind: "a" | "b";
  readonly note?: string;
  readonly nested: { readonly list: readonly number[]; readonly open?: string | undefined };
}
const nested = z.object({ list: z.array(z.number()), open: z.string().optional() });
const fields = { id: z.string(), kind: z.enum(["a", "b"]), note: z.string().exactOptional(), nested };

export const right: z.ZodType<Contract> = tied<Contract>()(z.object(fields));
const { note: _note, ...forgotten } = fields;
// @ts-expect-error an optional field is forgotten
tied<Contract>()(z.object(forgotten));
// @ts-expect-error a foreign field
tied<Contract>()(z.object({ ...fields, foreign: z.string().exactOptional() }));
// @ts-expect-error a value of the union is forgotten
tied<Contract>()(z.object({ ...fields, kind: z.enum(["a"]) }));
// @ts-expect-error a value too many
tied<Contract>()(z.object({ ...fields, kind: z.enum(["a", "b", "c"]) }));
// @ts-expect-error required in the schema, optional in the contract
tied<Contract>()(z.object({ ...fields, note: z.string() }));
// @ts-expect-error an output is absent, not undefined
tied<Contract>()(z.object({ ...fields, note: z.string().optional() }));
// @ts-expect-error of another type, nested
tied<Contract>()(z.object({ ...fields, nested: z.object({ list: z.array(z.string()), open: z.string().optional() }) }));
