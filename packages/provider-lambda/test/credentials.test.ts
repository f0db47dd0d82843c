import { afterEach, expect, test, vi } from "vitest";
import { lambda } from "../src/index.ts";
import { API_KEY } from "./lambda-harness.ts";
import { failure, lambdaWorld } from "./world.ts";

afterEach(() => vi.unstubAllEnvs());

const thrown = (make: () => unknown): unknown => {
  try {
    return make();
  } catch (error) {
    return error;
  }
};

test("without a key it is AUTH_ERROR, with what to do", () => {
  vi.stubEnv("LAMBDA_API_KEY", "");
  expect(thrown(() => lambda({ owner: "tests" }))).toMatchObject({
    code: "AUTH_ERROR",
    effect: "none",
    hint: expect.stringContaining("LAMBDA_API_KEY"),
  });
});

test("the factory reads the variables that register reads", async () => {
  const { emulator } = lambdaWorld();
  vi.stubEnv("LAMBDA_API_KEY", API_KEY);
  vi.stubEnv("LAMBDA_BASE_URL", "http://127.0.0.1:9/api/v1");
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push(String(input));
    return await emulator.fetch(input, init);
  };
  const provider = lambda({ owner: "tests", runtime: { clock: emulator.clock, fetch } });
  expect(await provider.list()).toEqual([]);
  expect(asked).toEqual(["http://127.0.0.1:9/api/v1/instances"]);
});

test("a function gives the key, and is asked once more after AUTH_ERROR", async () => {
  const { another } = lambdaWorld();
  const keys = ["old-key", API_KEY];
  const provider = another({ apiKey: async () => keys.shift() ?? "none" });
  expect(await provider.list()).toEqual([]);
  expect(keys).toEqual([]);
  expect(await failure(another({ apiKey: () => "old-key" }).list())).toMatchObject({ code: "AUTH_ERROR" });
});
