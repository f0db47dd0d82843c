import { checksumOf } from "@slipway/core";
import type { HttpClientOptions } from "./http-client-options.ts";

/** A key or token, or what gets one: for credentials that are renewed while the process lives. */
export type CredentialSource = string | (() => string | Promise<string>);

export interface Credential {
  /** Tells accounts apart, and does not lead back to the credential. */
  readonly account: string;
  /** The credential; a function is asked once, and again after `renew`. Throws what it throws. */
  readonly current: () => Promise<string>;
  /** What is held now was refused. Absent where there is only a text. */
  readonly renew?: (() => void) | undefined;
  /** Every credential that was used lately: none may show. */
  readonly secrets: () => readonly string[];
}

/**
 * What `httpClient` asks of a credential, for a remote that takes it as a bearer token.
 *
 * @example
 * ```ts
 * const http = httpClient({ provider, baseUrl, ...bearerToken(apiKey), userAgent, meaningOf, limits });
 * ```
 */
export function bearerToken(
  source: CredentialSource,
): Pick<HttpClientOptions, "account" | "credentials" | "renew" | "secrets"> {
  const { account, current, renew, secrets } = credentialOf(source);
  return { account, renew, secrets, credentials: async () => ({ authorization: `Bearer ${await current()}` }) };
}

// What may stand in a header as it is.
const USABLE = /^[\x21-\x7e]+$/;
const KEPT = 4;
const accounts = new WeakMap<object, string>();
let functions = 0;

export function credentialOf(source: CredentialSource): Credential {
  if (typeof source === "string") {
    return { account: checksumOf(source).slice(7, 19), current: async () => source, secrets: () => [source] };
  }
  const account = accounts.get(source) ?? `function-${(functions += 1)}`;
  accounts.set(source, account);
  let held: Promise<string> | undefined;
  let used: readonly string[] = [];
  const renew = (): void => {
    held = undefined;
  };
  const ask = async (): Promise<string> => {
    const given: unknown = await source();
    if (typeof given !== "string" || !USABLE.test(given)) {
      throw new TypeError("the credential function gives no text that a header can hold");
    }
    used = [given, ...used.filter((each) => each !== given)].slice(0, KEPT);
    return given;
  };
  return {
    account,
    renew,
    secrets: () => used,
    current: async () => {
      const asked = (held ??= ask());
      try {
        return await asked;
      } catch (error) {
        if (held === asked) renew();
        throw error;
      }
    },
  };
}
