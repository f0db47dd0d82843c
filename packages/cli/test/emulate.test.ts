import { describe, expect, it } from "vitest";
import { commandLine } from "./command-line.ts";

/** A package with an emulator, as the nearest package.json's dependency. */
function withEmulator(
  emulator: Readonly<Record<string, unknown>>,
  exported: unknown = { ".": "./i.js", "./emulator": "./e.js" },
) {
  const line = commandLine();
  const at = "node_modules/acme-compute";
  line.write("package.json", JSON.stringify({ dependencies: { "acme-compute": "1.0.0" } }));
  line.write(
    `${at}/package.json`,
    JSON.stringify({
      name: "acme-compute",
      version: "1.0.0",
      exports: exported,
      slipway: { provider: "acme", contract: 1 },
    }),
  );
  const file = line.write(`${at}/e.js`, "");
  line.modules.set(new URL(`file://${file}`).href, () => emulator);
  return line;
}

const variables = { ACME_URL: "http://127.0.0.1:4010/", ACME_KEY: "it's a key" };

describe("slipway emulate", () => {
  it("serves until it is interrupted, and says how a provider finds it", async () => {
    const user = new AbortController();
    const asked: unknown[] = [];
    let closed = 0;
    const { slipway } = withEmulator({
      serve: async (options: unknown) => {
        asked.push(options);
        queueMicrotask(() => user.abort());
        return { baseUrl: "http://127.0.0.1:4010/", variables, close: async () => void (closed += 1) };
      },
    });
    const run = await slipway(["emulate", "acme", "--port", "4010", "--speed", "100"], { signal: user.signal });
    expect(asked).toEqual([{ port: 4010, speed: 100, machines: expect.stringMatching(/^(light|none)$/) }]);
    expect(run.stdout).toBe("export ACME_URL=http://127.0.0.1:4010/\nexport 'ACME_KEY=it'\\''s a key'\n");
    expect(run.stderr).toContain("100 times as fast");
    expect(run.exitCode).toBe(130);
    expect(closed).toBe(1);
  });

  it("is one document for a program", async () => {
    const { slipway } = withEmulator({
      serve: async () => ({ baseUrl: "u", variables, close: async () => undefined }),
    });
    const run = await slipway(["emulate", "acme", "--json"], { signal: AbortSignal.abort() });
    expect(run.json()).toEqual({ provider: "acme", baseUrl: "u", variables, speed: 1 });
    expect(run.stderr).toBe("");
  });

  it("names the program where the remote is one", async () => {
    const { slipway } = withEmulator({
      serve: async () => ({ program: "/tmp/acme", variables: { ACME: "/tmp/acme" }, close: async () => undefined }),
    });
    const run = await slipway(["emulate", "acme"], { signal: AbortSignal.abort() });
    expect(run.stdout).toBe("export ACME=/tmp/acme\n");
    expect(run.stderr).toContain("is the program /tmp/acme");
  });

  it("says what its machines are, and hands on which are wanted", async () => {
    const asked: unknown[] = [];
    const serve = async (options: unknown) => {
      asked.push(options);
      return { baseUrl: "u", variables, machines: "none at all", close: async () => undefined };
    };
    const { slipway } = withEmulator({ serve });
    const line = ["emulate", "acme", "--machines", "none"];
    expect((await slipway(line, { signal: AbortSignal.abort() })).stderr).toContain("Its machines: none at all.");
    expect((await slipway([...line, "--json"], { signal: AbortSignal.abort() })).json()).toMatchObject({
      machines: "none at all",
    });
    expect(asked).toMatchObject([{ machines: "none" }, { machines: "none" }]);
  });

  it("refuses kinds of machines where there are none, and closes what it began", async () => {
    let closed = 0;
    const { slipway } = withEmulator({
      serve: async () => ({ baseUrl: "u", variables, close: async () => void (closed += 1) }),
    });
    const run = await slipway(["emulate", "acme", "--machines", "none", "--json"], { signal: AbortSignal.abort() });
    expect(run.error()).toMatchObject({ code: "UNSUPPORTED" });
    expect(closed).toBe(1);
    const unknown = await slipway(["emulate", "acme", "--machines", "heavy", "--json"]);
    expect(unknown.error()).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it.each([
    ["a provider without an emulator", {}, { ".": "./i.js" }, "UNSUPPORTED"],
    ["an emulator that serves nothing", { emulator: 1 }, undefined, "UNSUPPORTED"],
    ["an emulator that answers anything", { serve: async () => ({ baseUrl: 7 }) }, undefined, "BROKEN_PROVIDER"],
    [
      "a port that is taken",
      { serve: async () => Promise.reject(Object.assign(new Error("no"), { code: "EADDRINUSE" })) },
      undefined,
      "INVALID_ARGUMENT",
    ],
  ])("refuses %s", async (_, emulator, exported, code) => {
    const { slipway } = withEmulator(emulator, exported);
    const run = await slipway(["emulate", "acme", "--port", "4010", "--json"]);
    expect(run.error()).toMatchObject({ code });
    expect(run.exitCode).not.toBe(0);
  });

  it("refuses a port that is none, and a provider that is not there", async () => {
    const { slipway } = withEmulator({});
    for (const port of ["-1", "65536", "http", "1.5"]) {
      expect((await slipway(["emulate", "acme", `--port=${port}`])).exitCode).toBe(2);
    }
    expect((await slipway(["emulate", "acmee", "--json"])).error()).toMatchObject({ code: "UNKNOWN_PROVIDER" });
    expect((await slipway(["emulate", "local", "--json"])).error()).toMatchObject({ code: "UNSUPPORTED" });
  });
});
