import { ProviderError } from "@slipway/core";
import type * as z from "zod/mini";
import type { Call } from "./call.ts";
import { PROVIDER } from "./errors.ts";

/** The JSON in what a command printed. A notice of an update may stand around it. Throws INTERNAL. */
export function readAnswer<T>(stdout: string, schema: z.ZodMiniType<T>, verb: string, { operation }: Call): T {
  const value = jsonIn(stdout);
  const parsed = value === undefined ? undefined : schema.safeParse(value);
  if (parsed?.success === true) return parsed.data;
  const [issue] = parsed?.error.issues ?? [];
  const why = issue === undefined ? "no JSON" : `${issue.path.join(".")}: ${issue.message}`;
  throw new ProviderError("INTERNAL", {
    message: `orbctl ${verb} answered what is not known: ${why}`,
    provider: PROVIDER,
    operation,
    effect: "none",
    hint: "This version of OrbStack may be newer than all that were described.",
    native: { code: "unreadable-answer" },
  });
}

/** Undefined where there is none. */
export function jsonIn(text: string): unknown {
  const whole = parsed(text);
  if (whole !== undefined) return whole;
  const lines = text.split("\n");
  const first = lines.findIndex((line) => /^\s*(?:[[{]|null\s*$)/.test(line));
  if (first === -1) return undefined;
  for (let end = lines.length; end > first; end -= 1) {
    const found = parsed(lines.slice(first, end).join("\n"));
    if (found !== undefined) return found;
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
