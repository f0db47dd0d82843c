import type { Provider } from "@slipway/core";
import type { Session } from "./session.ts";
import type { SpawnFlags } from "./spawn-flags.ts";
import type { SpawnRequest } from "./spawn-request.ts";

/** Who ends an instance with this `--ttl`: said before it is launched, since the answer may be "only you". */
export function noteExpiry(session: Session, provider: Provider, expiresAt: string | undefined): void {
  if (expiresAt === undefined) return;
  const { name, whyNot } = provider;
  if (provider.capabilities.terminateBy === true) {
    session.output.note(`It expires at ${expiresAt}; 15 minutes later ${name} terminates it, if nothing else has.`);
    return;
  }
  const why = whyNot.terminateBy === undefined ? "" : `: ${whyNot.terminateBy}`;
  session.output.note(
    `It expires at ${expiresAt}. Provider ${name} does not terminate it by itself${why}. ` +
      "Run `slipway reap` after that time, or it goes on running and costing money.",
  );
}

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
