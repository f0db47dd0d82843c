import type { Schema } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { bearerToken, httpClient } from "@slipway/provider-kit/http";
import { limits } from "@slipway/provider-kit/limits";
import { PROVIDER, rowOf } from "../errors.ts";
import { DEFAULT_BASE_URL, type __Name__Settings } from "../options.ts";
import { wireError } from "../wire.ts";

/** One request: what is done to which kind of thing. */
export interface Request<T> extends Call {
  readonly verb: "create" | "list" | "read" | "delete" | "save" | "wake";
  readonly thing: "machines" | "disks" | "captures";
  readonly id?: string | undefined;
  readonly body?: unknown;
  readonly answer: Schema<T>;
  readonly secrets?: readonly string[] | undefined;
}

export type Send = <T>(request: Request<T>) => Promise<T>;

const METHODS = { create: "POST", list: "GET", read: "GET", delete: "DELETE", save: "POST", wake: "POST" } as const;
const ACTIONS: ReadonlySet<string> = new Set(["save", "wake"]);

export function sender({ apiKey, baseUrl = DEFAULT_BASE_URL, runtime }: __Name__Settings): Send {
  const http = httpClient({
    provider: PROVIDER,
    baseUrl,
    ...bearerToken(apiKey),
    userAgent: "__PACKAGE__",
    runtime,
    // The remote's published limits.
    limits:
      runtime?.limits ??
      limits({ ...runtime, provider: PROVIDER, buckets: [{ operation: "*", capacity: 20, refillPerSecond: 10 }] }),
    meaningOf: ({ json }) => {
      const said = wireError(json);
      const row = rowOf(said?.code);
      if (row === undefined) return undefined;
      const { code, effect, scope, hint } = row;
      return { code, effect, scope, hint, nativeCode: said?.code, nativeMessage: said?.message };
    },
  });
  return ({ verb, thing, id, ...request }) => {
    const path = [thing, ...(id === undefined ? [] : [encodeURIComponent(id)]), ...(ACTIONS.has(verb) ? [verb] : [])];
    return http.call({ ...request, method: METHODS[verb], path: path.join("/") });
  };
}
