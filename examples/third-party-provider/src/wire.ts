// What the program on a host prints.
import { z } from "zod";

const ownership = z.object({
  owner: z.string(),
  key: z.string(),
  specHash: z.string(),
  createdAt: z.string(),
  labels: z.record(z.string(), z.string()),
  displayName: z.string().optional(),
  expiresAt: z.string().optional(),
});
export type Ownership = z.infer<typeof ownership>;

export interface Claim {
  readonly id: string;
  /** An exit code, `running`, `lost` where it ended without one, or `none` where there is no bootstrap. */
  readonly bootstrap: string;
  /** Null for what Slipway has not made. */
  readonly ownership: Ownership | null;
}

export type HostState = { readonly free: true } | { readonly taken: true } | { readonly claim: Claim };

/** Null where it is something else. */
export function stateFrom(text: string): HostState | null {
  const [word, id, bootstrap, encoded = ""] = text.trimEnd().split(" ");
  if (word === "free") return { free: true };
  if (word === "taken") return { taken: true };
  if (word !== "claim" || id === undefined || bootstrap === undefined) return null;
  return { claim: { id, bootstrap, ownership: ownershipFrom(encoded) } };
}

export function ownershipLine(written: Ownership): string {
  return `${Buffer.from(JSON.stringify(written)).toString("base64")}\n`;
}

function ownershipFrom(encoded: string): Ownership | null {
  try {
    return ownership.safeParse(JSON.parse(Buffer.from(encoded, "base64").toString("utf8"))).data ?? null;
  } catch {
    return null;
  }
}
