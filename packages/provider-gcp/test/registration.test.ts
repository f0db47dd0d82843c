import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { EMULATOR_PROJECT, EMULATOR_TOKEN, gcpEmulator } from "../emulator/index.ts";
import { gcp, register } from "../src/index.ts";
import { failure, gcpWorld } from "./world.ts";

const OWNER = "tests";

describe("register", () => {
  test("takes project, token and address from the variables", async () => {
    const urls: string[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      urls.push(`${String(input)} ${new Headers(init?.headers).get("authorization")}`);
      return Response.json({ items: [{ name: "us-central1-a" }] });
    };
    const variables = {
      GOOGLE_CLOUD_PROJECT: "from-variables",
      GCP_ACCESS_TOKEN: "token-of-variables",
      GCP_BASE_URL: "http://127.0.0.1:7/compute/v1",
    };
    const { hooks } = await register({ zones: ["us-central1-a"] }, { owner: OWNER, variables, runtime: { fetch } });
    await hooks.onStartup();
    expect(urls).toEqual([
      "http://127.0.0.1:7/compute/v1/projects/from-variables/zones?maxResults=500 Bearer token-of-variables",
    ]);
  });

  test("without a project says where to put it", async () => {
    const error = await failure(register({}, { owner: OWNER, variables: {} }));
    expect(error).toMatchObject({ code: "AUTH_ERROR", operation: "register", effect: "none" });
    expect(error.hint).toContain("GOOGLE_CLOUD_PROJECT");
  });

  test("shows no token where the token is wrong", async () => {
    const token = "s3cret\nX-Other: 1";
    const error = await failure(register({ project: "p", token }, { owner: OWNER, variables: {} }));
    expect(error.code).toBe("INVALID_SPEC");
    expect(error.message).not.toContain("s3cret");
    expect(() => gcp({ project: "p", token, owner: OWNER })).toThrow(/token/);
  });
});

describe("tokens", () => {
  test("one is asked for again where Google refuses it before its time", async () => {
    const { emulator, another } = gcpWorld();
    const given = ["old", "secret-gcp-token-5b1e"];
    let asked = 0;
    const accessToken = async () => given[Math.min(asked++, 1)] ?? "";
    expect(await another({ accessToken }).list()).toEqual([]);
    expect(asked).toBe(2);
    expect(emulator.control.requests.map(({ status }) => status)).toEqual([401, 200]);
  });

  test("calls at once share one question", async () => {
    const { another } = gcpWorld();
    let asked = 0;
    const provider = another({
      accessToken: async () => {
        asked += 1;
        return "secret-gcp-token-5b1e";
      },
    });
    await Promise.all([provider.list(), provider.list(), provider.list()]);
    expect(asked).toBe(1);
  });

  test("a source of tokens that never answers is left after a minute, or when the caller's time is over", async () => {
    const { another } = gcpWorld();
    const never = another({ accessToken: () => new Promise<string>(() => undefined) });
    expect(await failure(never.list({}, { timeoutMs: 5_000 }))).toMatchObject({ code: "TIMEOUT" });
    expect(await failure(never.spawn({ key: "job" }))).toMatchObject({ effect: "none" });
  });

  test("none is AUTH_ERROR with nothing done, and names no secret", async () => {
    const { another } = gcpWorld();
    const accessToken = () => Promise.reject(new Error("broker: s3cret"));
    const error = await failure(another({ accessToken }).spawn({ key: "job" }));
    expect(error).toMatchObject({ code: "AUTH_ERROR", operation: "spawn", effect: "none" });
    expect(JSON.stringify(error)).not.toContain("s3cret");
  });
});

describe("startup", () => {
  test("fails for a zone that the project has not", async () => {
    const runtime = gcpEmulator();
    const config = { project: EMULATOR_PROJECT, token: EMULATOR_TOKEN, zones: ["us-central1-a", "mars-north1-a"] };
    const { hooks } = await register(config, { owner: OWNER, variables: {}, runtime });
    const error = await failure(hooks.onStartup());
    expect(error).toMatchObject({ code: "INVALID_SPEC", operation: "onStartup" });
    expect(error.message).toContain("mars-north1-a");
  });
});

test("the main entry loads nothing of the emulator, and Google's library only for a token", async () => {
  const loaded = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (loaded.has(file.href)) return;
    loaded.add(file.href);
    const text = await readFile(file, "utf8");
    for (const [, path] of text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) {
      if (path !== undefined) await visit(new URL(path, file));
    }
    expect(text).not.toContain("@slipway/provider-kit/emulator");
    expect(text).not.toMatch(/from "google-auth-library"/);
  };
  await visit(new URL("../src/index.ts", import.meta.url));
  const names = [...loaded].map((href) => href.slice(href.indexOf("/src/") + 5));
  expect(names).toContain("client.ts");
  expect(names.filter((name) => name.startsWith("emulator"))).toEqual([]);
});
