import { expect, test } from "vitest";
import { register, runpod } from "../src/index.ts";
import { API_KEY, GPU } from "./runpod-harness.ts";
import { createsOf, rejection, testWorld } from "./world.ts";

test("key and address come from the config or the environment, and the config wins", async () => {
  const { clock, emulator } = testWorld();
  const runtime = { clock, fetch: emulator.fetch };
  const variables = { RUNPOD_API_KEY: API_KEY, RUNPOD_BASE_URL: "https://example.test/v2" };
  const { hooks } = await register(undefined, { owner: "o", variables, runtime });
  await hooks.onStartup();
  const wrong = await register({ apiKey: "another" }, { owner: "o", variables, runtime });
  await expect(wrong.hooks.onStartup()).rejects.toMatchObject({ code: "AUTH_ERROR", operation: "onStartup" });
  expect(emulator.requests.map(({ path, query }) => path + query)).toEqual([
    "/v2/pods?limit=1",
    "/v2/account/ssh-keys",
    "/v2/pods?limit=1",
  ]);
  expect(emulator.requests[0]?.userAgent).toMatch(/^slipway-provider-runpod\//);
});

test("without a key it says how to get one; a wrong setting is named, its value is not", async () => {
  const env = { owner: "o", variables: {} };
  await expect(register({}, env)).rejects.toMatchObject({
    code: "AUTH_ERROR",
    hint: expect.stringContaining("RUNPOD_API_KEY"),
  });
  const bad = await rejection(register({ apiKey: "two words 5ecret" }, env));
  expect(bad).toMatchObject({ code: "INVALID_SPEC", operation: "register" });
  expect(bad.message).toContain("apiKey");
  expect(bad.message).not.toContain("5ecret");
  const fromVariable = register({}, { owner: "o", variables: { RUNPOD_API_KEY: "line\nbreak" } });
  expect(await rejection(fromVariable)).toMatchObject({ code: "INVALID_SPEC" });
  expect(() => runpod({ apiKey: "k", owner: "Not An Owner" })).toThrow(/owner/);
});

test("without configured data centres all of RunPod's are regions", async () => {
  const { provider, another } = testWorld();
  expect((await provider.listRegions()).map(({ id }) => id)).toEqual(["EU-RO-1", "US-KS-2", "CA-MTL-3"]);
  const narrow = another({ dataCenters: ["US-KS-2"] });
  expect(await narrow.listRegions()).toEqual([{ id: "US-KS-2", name: "US-KS-2" }]);
  expect(await narrow.spawn({ key: "a", spec: GPU })).toMatchObject({ region: "US-KS-2" });
  expect(await rejection(narrow.spawn({ key: "b", spec: GPU, region: "EU-RO-1" }))).toMatchObject({
    code: "INVALID_SPEC",
  });
  expect(await rejection(narrow.list({ region: "EU-RO-1" }))).toMatchObject({ code: "INVALID_SPEC" });
});

test("the config's image, disk and cloud are the defaults of a spawn", async () => {
  const { another, emulator } = testWorld();
  const provider = another({ image: "mine:1", diskGb: 7, cloud: "COMMUNITY" });
  await provider.spawn({ key: "a", spec: GPU });
  await provider.spawn({ key: "b", spec: GPU, cloud: "SECURE", image: "other:2" });
  expect(createsOf(emulator)).toMatchObject([
    { image: "mine:1", disk: 7, cloud: "COMMUNITY" },
    { image: "other:2", disk: 7, cloud: "SECURE" },
  ]);
});
