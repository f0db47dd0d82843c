import { type Clock, nameFor } from "@slipway/core";
import { expect, test } from "vitest";
import { kubernetes } from "../src/index.ts";
import { failure, kubeconfig, writeKubeconfig } from "./world.ts";

const START = Date.parse("2026-11-29T08:00:00Z");

/** An API server that takes so long for each Job that is made. */
async function slowServer(jobMs: readonly number[]) {
  let now = START;
  const sent: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(String(input));
    const method = init?.method ?? "GET";
    sent.push(`${method} ${/\/namespaces\/machines\/(\w+)/.exec(pathname)?.[1] ?? ""}`);
    const metadata = { name: nameFor("o", "k"), namespace: "machines", uid: `uid-${sent.length}` };
    if (method === "POST" && pathname.endsWith("/jobs")) {
      now += jobMs[sent.filter((one) => one === "POST jobs").length - 1] ?? 0;
      return Response.json({ kind: "Job", metadata });
    }
    if (method === "POST") return Response.json({ metadata, spec: { containers: [] }, status: {} }, { status: 201 });
    if (method === "DELETE") return Response.json({ kind: "Status" });
    const gone = { kind: "Status", reason: "NotFound", message: "not found", details: { kind: "pods" }, code: 404 };
    return Response.json(gone, { status: 404 });
  };
  const clock: Clock = { now: () => now, sleep: async () => undefined };
  const file = await writeKubeconfig(kubeconfig());
  const provider = kubernetes({ owner: "o", kubeconfig: file, runtime: { fetch, clock } });
  const count = (what: string) => sent.filter((one) => one === what).length;
  return { provider, count };
}

const request = { key: "k", terminateBy: new Date(START + 3_600_000).toISOString() };

test("a Job that was made too slowly is made anew, and its pod belongs to the new one", async () => {
  const { provider, count } = await slowServer([11_000, 500]);
  await provider.spawn(request);
  expect([count("POST jobs"), count("DELETE jobs"), count("POST pods")]).toEqual([2, 1, 1]);
});

test("a server that is always too slow ends the spawn, before there is a pod", async () => {
  const { provider, count } = await slowServer(Array.from({ length: 100 }, () => 11_000));
  const error = await failure(provider.spawn(request));
  expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none", retryable: true });
  expect(error.message).toContain("10 s");
  expect(count("DELETE jobs")).toBe(count("POST jobs"));
  expect([count("POST jobs"), count("POST pods")]).toEqual([3, 0]);
});
