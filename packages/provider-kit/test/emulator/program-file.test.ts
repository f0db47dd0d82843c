import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
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
