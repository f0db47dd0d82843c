import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { writeProgram } from "../../src/emulator/index.ts";

test.each(["ts", "js"])(
  "runs the .%s module beside it, with its variables and every word as it was given",
  (ending) => {
    const folder = mkdtempSync(join(tmpdir(), "slipway-program's-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const body = "process.stdout.write(JSON.stringify([process.env.PLACE, ...process.argv.slice(2)]));";
    writeFileSync(join(folder, `emulated.${ending}`), body);
    const program = join(folder, "a program");
    const place = `${folder}/it's "here" $HOME`;
    const beside = pathToFileURL(join(folder, `serve.${ending}`)).href;
    writeProgram(program, { beside, module: "emulated", variables: { PLACE: place } });
    const words = ["two words", "$HOME", ""];
    const printed = execFileSync(program, words, { encoding: "utf8", env: { PLACE: "another" } });
    expect(JSON.parse(printed)).toEqual([place, ...words]);
  },
);

test("a program whose sources a test run has bundled runs from that one file", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bundled-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  vi.stubEnv("SLIPWAY_BUNDLED_PROGRAMS", folder);
  writeFileSync(join(folder, "emulated.ts"), "process.stdout.write('sources');");
  const program = join(folder, "program");
  const write = () =>
    writeProgram(program, { beside: pathToFileURL(join(folder, "serve.ts")).href, module: "emulated", variables: {} });
  const print = () => execFileSync(program, [], { encoding: "utf8" });
  write();
  expect(print()).toBe("sources");
  const bundle = `${join(folder, "emulated.ts").replaceAll(/[^A-Za-z0-9]+/g, "-")}.mjs`;
  writeFileSync(join(folder, bundle), "process.stdout.write('bundle');");
  write();
  expect(print()).toBe("bundle");
});
