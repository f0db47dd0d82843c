import type { Workflow } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { restateRuns, restateService, serviceName } from "../src/index.ts";

const validate = (value: unknown) => ({ value });
const anything = { "~standard": { version: 1 as const, vendor: "test", validate } };
const flow: Workflow = { type: "aws.multi-az", version: 1, input: anything, output: anything, run: async () => null };

/** An ingress that gives these answers, one for each request, and keeps what it was sent. */
function ingress(...answers: readonly (object | null)[]) {
  const seen: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    seen.push(
      `${init?.method ?? ""} ${new URL(new Request(input).url).pathname} ${typeof init?.body === "string" ? init.body : ""}`,
    );
    const answer = answers[seen.length - 1];
    return answer === undefined ? new Response("no such service", { status: 404 }) : Response.json(answer);
  };
  let time = 0;
  const clock = {
    now: () => time,
    sleep: async (ms: number) => {
      time += ms;
    },
  };
  return { seen, runs: restateRuns({ ingress: "http://restate.test", fetch, clock }) };
}

describe("restateRuns", () => {
  test("gives each type a service of its own", () => {
    const types = ["a.b", "a-b", "a_b", "ab", "a_2e_b"];
    expect(new Set(types.map((type) => serviceName(type))).size).toBe(types.length);
    for (const type of types) expect(serviceName(type)).toMatch(/^[A-Za-z0-9_]+$/);
  });

  test("begins a run with its input and limit under its id, whatever that holds", async () => {
    const { seen, runs } = ingress({ status: "Accepted" });
    await runs.begin(flow, { n: 1 }, { runId: "a/b", maxDurationMs: 5 });
    expect(seen).toEqual([`POST /${serviceName(flow.type)}/a%2Fb/run/send {"input":{"n":1},"maxDurationMs":5}`]);
  });

  test("is MISMATCH where the run was begun with another input, and not where it was the same", async () => {
    const again = { status: "PreviouslyAccepted" };
    const other = ingress(again, { input: { n: 2 } });
    await expect(other.runs.begin(flow, { n: 1 }, { runId: "r" })).rejects.toMatchObject({ code: "MISMATCH" });
    await ingress(again, { input: { n: 1 } }).runs.begin(flow, { n: 1 }, { runId: "r" });
  });

  test("asks again where the run it found has not written yet what it was begun with", async () => {
    const again = { status: "PreviouslyAccepted" };
    const other = ingress(again, null, null, { input: { n: 2 } });
    await expect(other.runs.begin(flow, { n: 1 }, { runId: "r" })).rejects.toMatchObject({ code: "MISMATCH" });
    await ingress(again, null, { input: { n: 1 } }).runs.begin(flow, { n: 1 }, { runId: "r" });
    const silent = ingress(again, ...Array.from({ length: 1000 }, () => null));
    await expect(silent.runs.begin(flow, { n: 1 }, { runId: "r" })).rejects.toThrow(/r has not begun within 30 s/);
  });

  test("makes a WorkflowError of a run that failed, with its leftovers", async () => {
    const leftovers = [{ step: "a", key: "k", outcome: "done", error: { name: "Error", message: "stuck" } }];
    const outcome = { ok: false, code: "FAILED", message: "no", runId: "r", leftovers };
    await expect(ingress(outcome).runs.result(flow, "r")).rejects.toMatchObject({
      code: "FAILED",
      leftovers: [{ step: "a", error: new Error("stuck") }],
    });
    await expect(ingress({ ok: true, output: 7 }).runs.result(flow, "r")).resolves.toBe(7);
  });

  test("waits on for a run that takes longer than a client waits for an answer", async () => {
    let asked = 0;
    const fetch: typeof globalThis.fetch = async () => {
      asked += 1;
      if (asked > 2) return Response.json({ ok: true, output: 7 });
      const code = asked === 1 ? "UND_ERR_HEADERS_TIMEOUT" : "UND_ERR_BODY_TIMEOUT";
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("timeout"), { code }) });
    };
    await expect(restateRuns({ ingress: "http://restate.test", fetch }).result(flow, "r")).resolves.toBe(7);
    const refused: typeof globalThis.fetch = async () => {
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code: "ECONNREFUSED" }) });
    };
    const runs = restateRuns({ ingress: "http://restate.test", fetch: refused });
    await expect(runs.result(flow, "r")).rejects.toThrow("fetch failed");
  });

  test("says what Restate answered where it refuses", async () => {
    await expect(ingress().runs.cancel(flow, "r")).rejects.toThrow("404: no such service");
  });
});

describe("restateService", () => {
  test("Restate never stops calling a run: paused, what it did would stay until somebody resumes it", () => {
    expect(restateService(flow)).toMatchObject({
      options: { retryPolicy: { maxAttempts: 2 ** 31 - 1, onMaxAttempts: "pause", maxInterval: 60_000 } },
    });
  });

  test("says that nothing was cancelled where a run is not known yet", async () => {
    const { cancel } = Reflect.get(restateService(flow), "workflow");
    const cancelled: unknown[] = [];
    const ctx = (invocation: string | null) => ({
      key: "r",
      get: async () => invocation,
      cancel: (id: unknown) => void cancelled.push(id),
    });
    await expect(cancel(ctx(null))).rejects.toMatchObject({ name: "TerminalError", code: 404 });
    await cancel(ctx("inv_1"));
    expect(cancelled).toEqual(["inv_1"]);
  });
});
