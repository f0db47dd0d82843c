import { bodyText } from "./bridges.ts";

/**
 * What moto lacks most: a client token launches once. In front of moto, the answer to a launch is kept by its token and
 * given again to the same request; another request under that token, and one whose instance has ended, are refused as
 * EC2 refuses them.
 */
export function withClientTokens(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  const launches = new Map<string, { readonly body: string; readonly answer: Promise<Kept> }>();
  const ended = new Set<string>();
  return async (input, init) => {
    const body = bodyText(init?.body);
    const form = new URLSearchParams(body);
    const token = form.get("ClientToken");
    const action = form.get("Action");
    if (action === "RunInstances" && token !== null && form.get("DryRun") !== "true") {
      const name = `${regionOf(init)} ${form.get("Placement.AvailabilityZone") ?? form.get("SubnetId") ?? form.get("NetworkInterface.1.SubnetId") ?? ""} ${token}`;
      const before = launches.get(name);
      if (before === undefined) {
        const answer = fetch(input, init).then(kept);
        launches.set(name, { body, answer });
        const { status } = await answer.catch((error: unknown) => {
          launches.delete(name);
          throw error;
        });
        if (status !== 200) launches.delete(name);
        return responseOf(await answer);
      }
      if (before.body !== body) return refused("IdempotentParameterMismatch");
      const answer = await before.answer;
      return idsIn(answer.text).some((id) => ended.has(id))
        ? refused("IdempotentInstanceTerminated")
        : responseOf(answer);
    }
    const response = await fetch(input, init);
    if (action !== "TerminateInstances") return response;
    const answer = await kept(response);
    if (answer.status === 200) for (const id of idsIn(answer.text)) ended.add(id);
    return responseOf(answer);
  };
}

interface Kept {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function kept(response: Response): Promise<Kept> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function responseOf({ status, headers, text }: Kept): Response {
  const plain = new Headers(headers);
  // The text is no longer as it was sent.
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) plain.delete(name);
  return new Response(text, { status, headers: plain });
}

function refused(code: string): Response {
  const text = `<Response><Errors><Error><Code>${code}</Code><Message>${code}</Message></Error></Errors><RequestID>r</RequestID></Response>`;
  return new Response(text, { status: 400, headers: { "content-type": "text/xml" } });
}

function idsIn(text: string): readonly string[] {
  return [...text.matchAll(/<instanceId>(i-[0-9a-f]+)<\/instanceId>/g)].map(([, id = ""]) => id);
}

function regionOf(init: RequestInit | undefined): string {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(new Headers(init?.headers).get("authorization") ?? "")?.[1] ?? "";
}
