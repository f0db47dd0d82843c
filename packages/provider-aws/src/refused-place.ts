import { isProviderError } from "@slipway/core";

/** Is the failure about the place, and is it known that nothing was made there? Only then another place may be tried. */
export function mayGoElsewhere(error: unknown): boolean {
  if (!isProviderError(error) || error.effect !== "none") return false;
  return error.scope === "placement" || error.scope === "subnet" || error.scope === "capacity-type";
}
