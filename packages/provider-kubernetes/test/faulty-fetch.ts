import type { Clock, ErrorCode } from "@slipway/core";
import { type Fault, type FaultScript, faultScript } from "@slipway/provider-kit/emulator";
import { ERROR_ANSWERS, type ErrorAnswer } from "./error-answers.ts";

export interface FaultyFetch {
  readonly fetch: typeof globalThis.fetch;
  readonly faults: FaultScript;
  /** Reads below this path fail from now on. */
  readonly fail: (path: string | undefined) => void;
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
  /** How many writes the server has done for anybody who uses this fetch. */
  readonly changes: () => number;
}

type Break = "ECONNREFUSED" | "ECONNRESET" | "hang";

const BREAKS: Readonly<Record<string, Break>> = {
  "connection-refused": "ECONNREFUSED",
  "connection-reset": "ECONNRESET",
  "answer-timeout": "hang",
};

interface CodeRow {
  readonly row: string;
  /** Where the server says so; everywhere if absent. */
  readonly at?: readonly string[];
  /** Whether it can also come after the effect. */
  readonly after?: string;
}

const CODES: Readonly<Partial<Record<ErrorCode, CodeRow>>> = {
  AUTH_ERROR: { row: "unauthorized" },
  QUOTA_EXCEEDED: { row: "quota-exceeded", at: ["spawn"] },
  RATE_LIMIT_ERROR: { row: "too-many-requests" },
  INVALID_SPEC: { row: "invalid", at: ["spawn"] },
  NOT_FOUND: { row: "namespace-missing", at: ["spawn", "list"] },
  CONFLICT: { row: "already-exists", at: ["spawn"] },
  INVALID_STATE: { row: "namespace-terminating", at: ["spawn", "list"] },
  BUSY: { row: "quota-conflict", at: ["spawn", "terminate"] },
  UNSUPPORTED: { row: "bad-request", at: ["spawn"] },
  UNAVAILABLE: { row: "server-error", after: "server-error" },
  NETWORK: { row: "connection-refused", after: "connection-reset" },
  TIMEOUT: { row: "answer-timeout", after: "answer-timeout" },
  INTERNAL: { row: "page-instead", after: "garbled-answer" },
};

const SERVER_ERROR = ERROR_ANSWERS["server-error"] ?? "ECONNRESET";
const FAULTY = ["spawn", "terminate", "get", "list", "onStartup", "createVolume", "deleteVolume", "listVolumes"];

/** The real server behind a wire on which faults can be placed. */
export function faultyFetch(real: typeof globalThis.fetch, clock: Clock): FaultyFetch {
  const faults = faultScript();
  let changes = 0;
  let failing: string | undefined;
  const sent: typeof globalThis.fetch = async (input, init) => {
    const method = init?.method ?? "GET";
    const answer = await real(input, init);
    if (answer.ok && method !== "GET" && !String(input).includes("accessreviews")) changes += 1;
    return answer;
  };
  return {
    faults,
    changes: () => changes,
    fail: (path) => {
      failing = path;
    },
    supports: ({ operation, when, code }) => {
      if (!FAULTY.includes(operation) || when === "stale-read") return false;
      if (code === undefined) return true;
      const row = CODES[code];
      if (row === undefined || row.at?.includes(operation) === false) return false;
      return when !== "after" || row.after !== undefined;
    },
    fetch: async (input, init) => {
      const signal = init?.signal ?? undefined;
      if (failing !== undefined && String(input).includes(failing)) return await tell(SERVER_ERROR, signal);
      const operation = operationOf(new URL(String(input)), init?.method ?? "GET");
      const fault = operation === undefined ? undefined : faults.take(operation);
      if (fault === undefined) return await sent(input, init);
      const told = toldBy(fault);
      if (fault.when !== "before") {
        const answer = await sent(input, init);
        if (fault.when === "delayed") await clock.sleep(fault.delayMs ?? 0, init?.signal ?? undefined);
        if (told === null) return answer;
        await answer.body?.cancel();
      }
      return await tell(told ?? "ECONNRESET", signal);
    },
  };
}

/** Which call of the contract a request belongs to. */
function operationOf({ pathname }: URL, method: string): string | undefined {
  if (pathname.includes("accessreviews")) return "onStartup";
  if (pathname.includes("/persistentvolumeclaims")) {
    return { POST: "createVolume", DELETE: "deleteVolume", GET: "listVolumes" }[method];
  }
  const [, name] = /\/pods(?:\/([^/]+))?$/.exec(pathname) ?? [];
  if (!pathname.includes("/pods")) return undefined;
  if (method === "POST") return "spawn";
  if (method === "DELETE") return "terminate";
  return name === undefined ? "list" : "get";
}

function toldBy({ when, code, row }: Fault): ErrorAnswer | Break | null {
  if (when === "reply-lost") return "ECONNRESET";
  if (when !== "before" && when !== "after") return null;
  const byCode = CODES[code ?? "UNAVAILABLE"];
  const id = row ?? (when === "after" ? byCode?.after : undefined) ?? byCode?.row ?? "server-error";
  const answer = BREAKS[id] ?? ERROR_ANSWERS[id];
  if (answer === undefined) throw new Error(`there is no answer for the row ${id}`);
  return answer;
}

async function tell(told: ErrorAnswer | Break, signal: AbortSignal | undefined): Promise<Response> {
  if (told === "hang") {
    return await new Promise((_, reject) => {
      const end = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
      if (signal?.aborted === true) end();
      signal?.addEventListener("abort", end, { once: true });
    });
  }
  if (typeof told === "string") {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error(told), { code: told }) });
  }
  const headers = { "content-type": told.contentType ?? "application/json", ...told.headers };
  return new Response(told.body, { status: told.status, headers });
}
