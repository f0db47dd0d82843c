import type { Clock } from "@slipway/core";
import { type Fault, faultScript, simulatedClock } from "@slipway/provider-kit/emulator";
import { Cloud, type CloudSettings, Refused } from "./cloud.ts";
import { controlOf, type __Name__EmulatorControl } from "./control.ts";
import { SERVES, wordFor } from "./faults.ts";

export interface __Name__EmulatorSettings extends CloudSettings {
  /** A simulated one, which passes by itself, if absent. */
  readonly clock?: Clock | undefined;
  /** The keys that are let in; every one if absent. */
  readonly apiKeys?: readonly string[] | undefined;
}

/** The remote's API. */
export interface __Name__Emulator {
  readonly clock: Clock;
  /** For a server; a broken connection is `Response.error()`. */
  readonly handle: (request: Request) => Promise<Response>;
  /** For a provider's `runtime.fetch`; a broken connection rejects as the real one does. */
  readonly fetch: typeof globalThis.fetch;
  readonly control: __Name__EmulatorControl;
}

const LATENCY_MS = 5;
const STATUSES: Readonly<Record<string, number>> = {
  "bad-credentials": 401,
  quota: 403,
  "not-found": 404,
  "name-taken": 409,
  "in-transition": 409,
  "in-use": 409,
  "wrong-state": 409,
  invalid: 422,
  throttled: 429,
  "no-capacity": 503,
  unavailable: 503,
};
const VERBS: Readonly<Record<string, string>> = { GET: "read", POST: "create", DELETE: "delete" };

export function __name__Emulator(settings: __Name__EmulatorSettings = {}): __Name__Emulator {
  const clock = settings.clock ?? simulatedClock();
  const cloud = new Cloud(settings, clock);
  const faults = faultScript(settings.seed ?? 1);

  async function handle(request: Request): Promise<Response> {
    await clock.sleep(LATENCY_MS, request.signal);
    const key = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
    if (settings.apiKeys?.includes(key) === false || key === "") return failed("bad-credentials", "unknown key");
    const { thing, verb, id } = asked(request);
    const operation = `${thing} ${verb}`;
    const serves = SERVES.get(operation);
    const fault = faults.take(serves === undefined ? operation : [operation, serves]);
    if (fault?.when === "before") return failed(wordFor(fault), "placed by a test");
    const response = await answer(() => cloud.handle(thing, verb, id, undefined), request, (body) =>
      cloud.handle(thing, verb, id, body),
    );
    return afterwards(fault, response, request.signal);
  }

  async function answer(
    read: () => unknown,
    request: Request,
    write: (body: unknown) => unknown,
  ): Promise<Response> {
    try {
      const text = request.method === "POST" ? await request.text() : "";
      return Response.json(text === "" ? read() : write(JSON.parse(text)));
    } catch (error) {
      if (error instanceof Refused) return failed(error.code, error.message);
      if (error instanceof SyntaxError) return failed("invalid", "the body is not JSON");
      throw error;
    }
  }

  async function afterwards(fault: Fault | undefined, response: Response, signal: AbortSignal): Promise<Response> {
    if (fault?.when === "delayed") await clock.sleep(fault.delayMs ?? 0, signal);
    if (fault?.when === "after") return failed(wordFor(fault), "placed by a test");
    return fault?.when === "reply-lost" ? Response.error() : response;
  }

  return {
    clock,
    handle,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      request.signal.throwIfAborted();
      const response = await handle(request);
      if (response.type !== "error") return response;
      const reset = Object.assign(new Error("the connection broke"), { code: "ECONNRESET" });
      throw new TypeError("fetch failed", { cause: reset });
    },
    control: controlOf(cloud, faults),
  };
}

function asked({ method, url }: Request): { readonly thing: string; readonly verb: string; readonly id: string } {
  const [, , thing = "", id = "", action] = new URL(url).pathname.split("/").map(decodeURIComponent);
  const verb = action ?? VERBS[method] ?? method;
  return { thing, id, verb: verb === "read" && id === "" ? "list" : verb };
}

function failed(code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status: STATUSES[code] ?? 500 });
}
