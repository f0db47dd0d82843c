import type { Operation, Schema } from "@slipway/core";

/** One request of an HTTP client. */
export interface HttpCall<T> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** What a success looks like; a zod schema, tolerant of new fields. */
  readonly answer: Schema<T>;
  readonly operation: Operation;
  /** Which budget it draws on, if another than the operation's name. */
  readonly bucket?: string | undefined;
  /** Can it change the remote? All but GET if absent. */
  readonly writes?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** Texts of this call that must not show anywhere: user data, keys. */
  readonly secrets?: readonly string[] | undefined;
  /** Called at each try, when its turn in the budget has come and it is sent. */
  readonly onSent?: (() => void) | undefined;
}

/** Can it change the remote? */
export function isWrite(call: HttpCall<unknown>): boolean {
  return call.writes ?? call.method !== "GET";
}

export function urlOf(call: HttpCall<unknown>, baseUrl: string): URL {
  const url = new URL(call.path.replace(/^\//, ""), baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}
