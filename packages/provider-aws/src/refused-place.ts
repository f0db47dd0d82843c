import { ERROR_CODES, type ErrorCode, type ErrorScope, isProviderError } from "@slipway/core";

/** Is the failure about the place, and is it known that nothing was made there? Only then another place may be tried. */
export function mayGoElsewhere(error: unknown): boolean {
  return isProviderError(error) && error.effect === "none" && isOfPlace(error);
}

/** May the next of several places, in other regions too, be tried? */
export function mayTryNextPlace(error: unknown): boolean {
  return isProviderError(error) && error.effect === "none" && (error.scope === "region" || isOfPlace(error));
}

/** Is a refusal about the place, or about the way of buying? */
export function isOfPlace({
  code,
  scope = ERROR_CODES[code].scope,
}: {
  readonly code: ErrorCode;
  readonly scope?: ErrorScope | undefined;
}): boolean {
  return scope === "placement" || scope === "subnet" || scope === "capacity-type";
}
