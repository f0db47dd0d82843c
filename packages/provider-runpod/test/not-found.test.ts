import { expect, test } from "vitest";
import { rejection, testWorld } from "./world.ts";

const FOREIGN = [
  ["a gateway's", () => Response.json({ message: "no Route matched with those values" }, { status: 404 })],
  ["an empty", () => Response.json({}, { status: 404 })],
  ["a framework's", () => Response.json({ title: "Not Found", status: 404 }, { status: 404 })],
  [
    "a problem document about the route",
    () =>
      new Response(JSON.stringify({ title: "Not Found", status: 404, detail: "path not found" }), {
        status: 404,
        headers: { "content-type": "application/problem+json" },
      }),
  ],
] as const;

test.each(FOREIGN)("%s 404 is not RunPod's word that a pod is gone", async (_, answer) => {
  const { another, emulator, provider, clock } = testWorld();
  const { id } = await provider.spawn({ spec: "NVIDIA L4", key: "job" });
  for (const astray of [["GET", "DELETE"], ["DELETE"]]) {
    const fetch: typeof globalThis.fetch = async (input, init) =>
      astray.includes(init?.method ?? "GET") ? answer() : await emulator.fetch(input, init);
    const lost = another({ runtime: { clock, fetch } });
    expect(await rejection(lost.terminate(id))).toMatchObject({ code: "INTERNAL", operation: "terminate" });
    if (astray.includes("GET")) expect(await rejection(lost.get(id))).toMatchObject({ operation: "get" });
  }
  expect(emulator.pods()[0]?.deletedAt).toBeNull();
});

test("without /v2 in the address nothing counts as gone", async () => {
  const { another, emulator, provider } = testWorld();
  const { id } = await provider.spawn({ spec: "NVIDIA L4", key: "job" });
  const wrong = another({ baseUrl: "https://api.runpod.io/" });
  expect(await rejection(wrong.get(id))).toMatchObject({ code: "INTERNAL" });
  expect(await rejection(wrong.terminate(id))).toMatchObject({ code: "INTERNAL" });
  expect(await rejection(wrong.deleteVolume("VOL1"))).toMatchObject({ code: "INTERNAL" });
  expect(emulator.pods()[0]?.deletedAt).toBeNull();
});

test("the document's own words are believed", async () => {
  const { another, provider, clock, emulator } = testWorld();
  const { id } = await provider.spawn({ spec: "NVIDIA L4", key: "job" });
  await provider.terminate(id);
  const detail = "The requested resource was not found or is not accessible to the caller";
  const fetch: typeof globalThis.fetch = async () =>
    new Response(JSON.stringify({ title: "Not Found", status: 404, detail }), {
      status: 404,
      headers: { "content-type": "application/problem+json" },
    });
  expect(await another({ runtime: { clock, fetch } }).get(id)).toBeNull();
  expect(emulator.pods()[0]?.deletedAt).not.toBeNull();
});

test("a DELETE that is answered with not-found, of a pod that can still be seen, is not taken for done", async () => {
  const { another, emulator, provider, clock } = testWorld();
  const { id } = await provider.spawn({ spec: "NVIDIA L4", key: "job" });
  emulator.faults.add({ operation: "terminate", when: "before", row: "not-found", times: 50 });
  expect(await rejection(another({ runtime: { clock, fetch: emulator.fetch } }).terminate(id))).toMatchObject({
    code: "UNAVAILABLE",
    effect: "unknown",
    retryable: true,
  });
  emulator.faults.clear();
  await provider.terminate(id);
  expect(emulator.pods()[0]?.deletedAt).not.toBeNull();
});
