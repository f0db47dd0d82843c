import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { containerEmulator } from "../src/emulator/index.ts";
import { appleContainer, appleContainerErrorTable } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const [, example = ""] = /## Example[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme) ?? [];

/** A program that hands its arguments and its input to the stand-in in this process, and prints what that answers. */
async function executable(folder: string): Promise<{ readonly path: string; readonly close: () => Promise<void> }> {
  const container = containerEmulator();
  const socket = join(folder, "socket");
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    let text = "";
    connection.on("data", (chunk) => (text += chunk.toString()));
    connection.on("end", () => {
      const { args, stdin } = JSON.parse(text) as { readonly args: string[]; readonly stdin: string };
      void container
        .exec("container", args, stdin === "" ? {} : { stdin })
        .then((result) => connection.end(JSON.stringify(result)));
    });
  });
  await new Promise<void>((listening) => server.listen(socket, listening));
  const path = join(folder, "container");
  await writeFile(
    path,
    `#!${process.execPath}
const { readFileSync } = require("node:fs");
const args = process.argv.slice(2);
const stdin = args.includes("--interactive") ? readFileSync(0, "utf8") : "";
const connection = require("node:net").connect(${JSON.stringify(socket)});
let text = "";
connection.on("data", (chunk) => (text += chunk));
connection.on("end", () => {
  const { exitCode, stdout, stderr } = JSON.parse(text);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = exitCode;
});
connection.end(JSON.stringify({ args, stdin }));
`,
  );
  await chmod(path, 0o755);
  return {
    path,
    close: async () => {
      server.close();
      await container.close();
    },
  };
}

test("the example runs as it is printed, by a program that SLIPWAY_CONTAINER names, and prints what it says", async () => {
  const folder = await mkdtemp(fileURLToPath(new URL("./.readme-", import.meta.url)));
  const place = await mkdtemp(join(tmpdir(), "readme-"));
  const program = await executable(place);
  const printed: string[] = [];
  const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.+)/g)].map(([, text]) => text);
  try {
    process.env["SLIPWAY_CONTAINER"] = program.path;
    const body = example.replaceAll("console.log(", "print(");
    const source = `declare global { var print: (...values: unknown[]) => void }\n${body}\nexport {};\n`;
    await writeFile(`${folder}/example.ts`, source);
    Object.assign(globalThis, { print: (...values: unknown[]) => printed.push(values.map(String).join(" ")) });
    await import(`${folder}/example.ts`);
  } finally {
    Reflect.deleteProperty(globalThis, "print");
    delete process.env["SLIPWAY_CONTAINER"];
    await program.close();
    await rm(folder, { recursive: true, force: true });
    await rm(place, { recursive: true, force: true });
  }
  expect(said).toHaveLength(3);
  expect(printed).toEqual(said);
}, 30_000);

test("the tables name every capability, every code of the error table and every limit", () => {
  const provider = appleContainer({ owner: "docs", variables: {} });
  for (const [capability, on] of Object.entries(provider.capabilities)) {
    expect(readme).toContain(`| ${capability} | ${on ? "yes" : "no"} |`);
  }
  for (const { code } of appleContainerErrorTable) expect(readme).toContain(code);
  expect(readme).toContain(`| labels | ${provider.limits.maxLabels};`);
  expect(readme).toContain(`${provider.limits.nameMaxLength} characters`);
});
