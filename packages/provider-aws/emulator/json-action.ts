import type { z } from "zod";
import type { Call } from "./action.ts";
import { refuse } from "./answers.ts";

/** An action of a service that speaks JSON. */
export type JsonAction = (call: Call, body: unknown) => object;

export function jsonAction<T>(schema: z.ZodType<T>, handler: (call: Call, body: T) => object): JsonAction {
  return (call, body) => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return handler(call, parsed.data);
    const [issue] = parsed.error.issues;
    return refuse("ValidationException", `${issue?.path.join(".") || "body"}: ${issue?.message ?? "is invalid"}`);
  };
}
