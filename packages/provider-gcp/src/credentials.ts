import { abortError, type Clock, deadline, isProviderError, type Operation } from "@slipway/core";
import type { GcpOptions } from "./options.ts";
import { PROVIDER, refusal } from "./remote.ts";

interface TokenCall {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

/** Where access tokens come from. */
export interface Tokens {
  /** Resolves when `current` may be used; asks for a token only where there is none. Waits no longer than a minute. */
  readonly ready: (call: TokenCall) => Promise<void>;
  readonly current: () => string;
  /** Google refused it: the next `ready` asks anew. */
  readonly forget: () => void;
}

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
// Google's tokens live an hour; the library renews its own earlier.
const KEPT_MS = 300_000;
const PATIENCE_MS = 60_000;

/** Google's library is loaded at the first token, and only where nothing else gives one. */
export function tokens(
  options: Pick<GcpOptions, "accessToken" | "token" | "project" | "metadataServer">,
  clock: Clock,
): Tokens {
  const { accessToken, token } = options;
  const source = accessToken ?? (token === undefined ? googleTokens(options) : () => Promise.resolve(token));
  let held: { readonly token: string; readonly until: number } | null = null;
  let asking: Promise<string> | null = null;
  return {
    ready: async (call) => {
      if (held !== null && held.until > clock.now()) return;
      asking ??= source().finally(() => {
        asking = null;
      });
      const fresh = await inTime(asking, clock, call).catch((cause: unknown) => {
        throw isProviderError(cause) ? cause : noToken(call.operation, cause);
      });
      if (!/^[\x21-\x7e]+$/.test(fresh)) throw noToken(call.operation, undefined);
      held = { token: fresh, until: clock.now() + KEPT_MS };
    },
    current: () => held?.token ?? "",
    forget: () => {
      held = null;
    },
  };
}

/** For as long as the caller wants it: whoever gives the token may never answer. */
async function inTime(asked: Promise<string>, clock: Clock, { operation, signal }: TokenCall): Promise<string> {
  const limit = deadline(clock, PATIENCE_MS, signal);
  const over = Promise.withResolvers<never>();
  const onAbort = (): void => over.reject(abortError(limit.signal, { provider: PROVIDER, operation, effect: "none" }));
  if (limit.signal.aborted) onAbort();
  else limit.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([asked, over.promise]);
  } finally {
    limit.signal.removeEventListener("abort", onAbort);
    limit.release();
  }
}

function noToken(operation: Operation, cause: unknown): Error {
  // The library's own message may hold a path or an answer; neither belongs into an error that is logged.
  return refusal("AUTH_ERROR", operation, "there are no Google credentials that give an access token", {
    hint: "Log in with `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS, or give accessToken. On Google's own machines set metadataServer.",
    cause,
  });
}

/** Application default credentials. Without `metadataServer` no link-local address is asked: that may hang on laptops. */
function googleTokens({
  project,
  metadataServer = false,
}: Pick<GcpOptions, "project" | "metadataServer">): () => Promise<string> {
  let made: Promise<{ readonly getAccessToken: () => Promise<string | null | undefined> }> | null = null;
  const make = async () => {
    const { GoogleAuth } = await import("google-auth-library");
    class FileCredentials extends GoogleAuth {
      override _checkIsGCE(): Promise<boolean> {
        return metadataServer ? super._checkIsGCE() : Promise.resolve(false);
      }
    }
    // With a project the library looks for none, which would start programs.
    return new FileCredentials({ projectId: project, scopes: [SCOPE] });
  };
  return async () => {
    made ??= make();
    const token = await (await made).getAccessToken();
    if (token === null || token === undefined) throw new Error("the credentials give no token");
    return token;
  };
}
