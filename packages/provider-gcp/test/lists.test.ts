import { describe, expect, test } from "vitest";
import { failure, gcpWorld } from "./world.ts";

describe("a list", () => {
  test("fails with its region where a configured zone cannot be read, and not for any other", async () => {
    const { provider, emulator } = gcpWorld();
    await provider.spawn({ key: "job" });
    emulator.control.setReachable("us-east1-b", false);
    expect(await provider.list()).toHaveLength(1);
    emulator.control.setReachable("europe-west1-d", false);
    const error = await failure(provider.list());
    expect(error).toMatchObject({ code: "UNAVAILABLE", scope: "region", effect: "none" });
    expect(error.message).toContain("europe-west1");
    emulator.control.setReachable("europe-west1", true);
    expect(await provider.list()).toHaveLength(1);
  });

  test("reads an unreachable zone by itself, which may work", async () => {
    const { provider, emulator, another } = gcpWorld();
    const { zone = "" } = await provider.spawn({ key: "job" });
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (String(input).includes("/aggregated/")) emulator.control.setReachable(zone, false);
      else emulator.control.setReachable(zone, true);
      return await emulator.fetch(input, init);
    };
    const found = await another({ runtime: { clock: emulator.clock, fetch } }).list();
    expect(found.map(({ key }) => key)).toEqual(["job"]);
  });

  test.each(["PARTIAL_SUCCESS", "LIST_OVERHEAD_QUOTA_EXCEED"])("is not complete with a warning %s", async (code) => {
    const { emulator, another } = gcpWorld();
    const fetch: typeof globalThis.fetch = async () =>
      Response.json({ items: { "zones/us-central1-a": { warning: { code, message: "x" } } } });
    const error = await failure(another({ runtime: { clock: emulator.clock, fetch } }).list());
    expect(error).toMatchObject({ code: "UNAVAILABLE", scope: "region", native: { code } });
  });

  test("is not complete where Google says that a part is missing, and not which", async () => {
    const { emulator, another } = gcpWorld();
    let unreachables: readonly string[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) =>
      String(input).includes("/aggregated/")
        ? Response.json({ items: {}, warning: { code: "UNREACHABLE", message: "x" }, unreachables })
        : await emulator.fetch(input, init);
    const provider = another({ runtime: { clock: emulator.clock, fetch } });
    expect(await failure(provider.list())).toMatchObject({
      code: "UNAVAILABLE",
      effect: "none",
      native: { code: "UNREACHABLE" },
    });
    // With its name it is read by itself.
    unreachables = ["projects/slipway-tests/zones/us-central1-a"];
    expect(await provider.list()).toEqual([]);
  });

  test("goes through all pages, also through empty ones", async () => {
    const { provider, emulator } = gcpWorld({ emptyPages: true, pageSize: 10 });
    await Promise.all(Array.from({ length: 35 }, (_, i) => provider.spawn({ key: `job-${i}` })));
    const before = emulator.control.requests.length;
    const found = await provider.list();
    expect(new Set(found.map(({ id }) => id)).size).toBe(35);
    expect(emulator.control.requests.length - before).toBe(8);
  });

  test("with a page that leads to itself is an error, and not endless", async () => {
    const { emulator, another } = gcpWorld();
    const fetch: typeof globalThis.fetch = async () => Response.json({ items: {}, nextPageToken: "again" });
    const error = await failure(another({ runtime: { clock: emulator.clock, fetch } }).list());
    expect(error.code).toBe("INTERNAL");
  });
});

describe("the emulator without a version", () => {
  test("answers all or nothing, unless it is asked for a part; with a version never asks", async () => {
    const { emulator } = gcpWorld();
    emulator.control.setReachable("us-east1-b", false);
    const get = (query: string, headers: Record<string, string> = {}) =>
      emulator.fetch(`https://compute.example/compute/v1/projects/slipway-tests/aggregated/instances${query}`, {
        headers: { authorization: "Bearer secret-gcp-token-5b1e", ...headers },
      });
    expect((await get("")).status).toBe(503);
    expect((await get("?returnPartialSuccess=true&includeAllScopes=true")).status).toBe(200);
    const versioned = await get("", { "x-goog-api-version": "2026-11-01" });
    expect(await versioned.json()).toMatchObject({ unreachables: [expect.stringContaining("us-east1-b")] });
    expect((await get("?returnPartialSuccess=true", { "x-goog-api-version": "2026-11-01" })).status).toBe(400);
    expect((await get("?$apiVersion=2026-11-01", { "x-goog-api-version": "2026-11-01" })).status).toBe(400);
    expect((await get("?filter=name%20~%20x")).status).toBe(400);
  });
});
