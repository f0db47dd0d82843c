import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CAPABILITIES, main } from "../src/index.ts";

let place: string;
let said: { out: string; err: string };

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "slipway-create-"));
  said = { out: "", err: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said.out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.err += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(place, { recursive: true, force: true });
});

const offered = CAPABILITIES.filter((one) => one.offered).map((one) => one.name);

async function create(...words: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const directory = join(place, "it");
  const exitCode = await main(["my-cloud", "--yes", "--directory", directory, ...words]);
  expect(said.err).toBe("");
  expect(exitCode).toBe(0);
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path, "utf8")]));
}

/** Every set of capabilities that can be chosen. */
function subsets(): readonly (readonly string[])[] {
  return Array.from({ length: 2 ** offered.length }, (_, bits) => offered.filter((_, at) => (bits >> at) % 2 === 1));
}

describe("what is written", () => {
  it.each(["http", "cli"])(
    "is whole for every choice of capabilities, over %s",
    { timeout: 300_000 },
    async (transport) => {
      for (const chosen of subsets()) {
        const files = await create("--transport", transport, "--capabilities", chosen.join(","));
        for (const [path, text] of files) {
          expect(text, path).not.toMatch(/__[A-Za-z_]+__/);
          expect(text, path).not.toMatch(/(?:\/\/|<!--) #(?:if|else|end)\b/);
          for (const [, target] of text.matchAll(/from "(\.[^"]+)"/g)) {
            const file = join(place, "it", dirname(path), target ?? "");
            expect(existsSync(file), `${path} imports ${target}`).toBe(true);
          }
        }
        const readme = files.get("README.md") ?? "";
        for (const { name } of CAPABILITIES) {
          expect(readme).toContain(`| ${name} | ${chosen.includes(name) ? "yes" : "no"} |`);
        }
        const { slipway, bin } = JSON.parse(files.get("package.json") ?? "") as Record<string, unknown>;
        expect([slipway, bin]).toEqual([{ provider: "my-cloud", contract: 1 }, undefined]);
        rmSync(join(place, "it"), { recursive: true });
      }
    },
  );

  it("has at most 600 lines to read before the first own one", async () => {
    const longest = await create("--transport", "http");
    const lines = [...longest].flatMap(([path, text]) =>
      path.startsWith("src/") || path === "README.md" ? text.split("\n") : [],
    );
    expect(lines.length).toBeLessThanOrEqual(600);
  });

  it("has the rooms of a provider, and nothing for the other transport", async () => {
    const files = await create("--transport", "cli", "--package", "@acme/cloud");
    for (const room of ["index", "provider", "instance", "errors", "driver", "wire"]) {
      expect(files.has(`src/${room}.ts`)).toBe(true);
    }
    expect([...files.keys()].filter((path) => /\.(?:http|cli)\./.test(path))).toEqual([]);
    expect(files.get(".gitignore")).toContain("dist");
    expect(files.get("src/client/send.ts")).toContain("commandRunner");
    expect(files.get("package.json")).toContain('"name": "@acme/cloud"');
    expect(said.out).toContain("npm install");
  });
});

describe("what is refused", () => {
  it.each([
    [["My Cloud"], "INVALID_NAME"],
    [["class"], "INVALID_NAME"],
    [["aws"], "INVALID_NAME"],
    [["../up"], "INVALID_NAME"],
    [[], "MISSING_NAME"],
    [["a", "b"], "UNEXPECTED_ARGUMENT"],
    [["a", "--transport", "grpc"], "INVALID_TRANSPORT"],
    [["a", "--capabilities", "gpu,flying"], "INVALID_CAPABILITY"],
    [["a", "--capabilities", "spot"], "INVALID_CAPABILITY"],
    [["a", "--package", "No Package"], "INVALID_PACKAGE"],
    [["a", "--colour"], "UNKNOWN_OPTION"],
  ])("%j", async (words, code) => {
    expect(await main(["--yes", "--directory", join(place, "it"), ...words])).toBe(2);
    expect(said.err).toMatch(new RegExp(`^create-provider: error ${code}: .+\\n`));
    expect(existsSync(join(place, "it"))).toBe(false);
  });

  it("a directory that holds something, which stays as it is", async () => {
    writeFileSync(join(place, "mine.txt"), "mine");
    expect(await main(["my-cloud", "--yes", "--directory", place])).toBe(2);
    expect(said.err).toContain("NOT_EMPTY");
    expect(readdirSync(place)).toEqual(["mine.txt"]);
  });

  it("a directory that is a file", async () => {
    const file = join(place, "file");
    writeFileSync(file, "");
    expect(await main(["my-cloud", "--yes", "--directory", file])).toBe(2);
    expect(said.err).toContain("UNUSABLE_DIRECTORY");
  });
});

it("tells its version and its options, and writes nothing", async () => {
  expect(await main(["--version"])).toBe(0);
  expect(said.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await main(["my-cloud", "--help"])).toBe(0);
  expect(said.out).toContain("--transport http|cli");
  expect(said.err).toBe("");
});
