import type { Provider } from "@slipway/core";
import type { Session } from "./session.ts";
import type { SpawnFlags } from "./spawn-flags.ts";
import type { SpawnRequest } from "./spawn-request.ts";

/** The request with the time that `--ttl` means; a repeated key keeps its first one. */
export async function withExpiry(
  session: Session,
  provider: Provider,
  request: SpawnRequest,
  { ttl }: Pick<SpawnFlags, "ttl">,
): Promise<SpawnRequest> {
  if (ttl === undefined) return request;
  const { expiryFor } = await import("./expiry.ts");
  return { ...request, expiresAt: await expiryFor(session, provider, request.key, ttl) };
}
