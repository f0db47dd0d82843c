import type { BootstrapScript } from "@slipway/core";
import { carriedBootstrap } from "./carried-bootstrap.ts";

// A shorter value would take ordinary words out of messages.
const SHORTEST_SECRET = 4;

/**
 * What of a bootstrap must not show in an error, an event or a log: the script, what it carries, and the texts in which it
 * is sent.
 */
export function bootstrapSecrets(
  script: BootstrapScript | undefined,
  ...sent: readonly (string | undefined)[]
): readonly string[] {
  const carried = script === undefined ? null : carriedBootstrap(script);
  const values = [
    ...sent,
    script?.content,
    carried?.script,
    carried?.registrationToken,
    carried?.report?.token,
    ...Object.values(carried?.environment ?? {}),
    ...(carried?.files ?? []).map(({ content }) => content),
  ];
  return values.filter((value) => value !== undefined).filter((value) => value.length >= SHORTEST_SECRET);
}
