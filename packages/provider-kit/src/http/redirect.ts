const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MOST = 5;

/** A redirect that is not followed, as text for a person. */
export class RefusedRedirect extends Error {
  override readonly name: string = "RefusedRedirect";
}

export interface RedirectRules {
  /** Names of headers that only the first host may see. */
  readonly credentials: readonly string[];
  /** False for a write: then only 307 and 308 are followed, which keep method and body. */
  readonly mayChangeMethod: boolean;
}

/** Sends a request and follows redirects by hand, since the credential must not go along to another host. */
export async function fetchFollowing(
  fetch: typeof globalThis.fetch,
  url: URL,
  init: RequestInit & { readonly headers: Headers },
  rules: RedirectRules,
): Promise<Response> {
  let target = url;
  let request: RequestInit & { readonly headers: Headers } = init;
  for (let hop = 0; hop <= MOST; hop += 1) {
    const response = await fetch(target, { ...request, redirect: "manual" });
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return response;
    await response.body?.cancel();
    const next = URL.parse(location, target.href);
    if (next === null) throw new RefusedRedirect("the answer redirects to what is no address");
    request = redirected(request, response.status, rules);
    if (next.origin !== target.origin) {
      if (next.protocol !== "https:" && target.protocol === "https:") {
        throw new RefusedRedirect(`the answer redirects to ${next.protocol}//, which is not encrypted`);
      }
      if (!rules.mayChangeMethod) throw new RefusedRedirect(`a write was redirected to another host, ${next.host}`);
      const headers = new Headers(request.headers);
      for (const name of rules.credentials) headers.delete(name);
      request = { ...request, headers };
    }
    target = next;
  }
  throw new RefusedRedirect(`the answer redirects more than ${MOST} times`);
}

function redirected(
  request: RequestInit & { readonly headers: Headers },
  status: number,
  rules: RedirectRules,
): RequestInit & { readonly headers: Headers } {
  if (status === 307 || status === 308) return request;
  if (!rules.mayChangeMethod) throw new RefusedRedirect(`a write was answered with redirect ${status}`);
  return request;
}
