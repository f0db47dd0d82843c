import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { readingSettings, renderLineWithMarkers, renderSettings } from "../src/command-line.ts";
import { describeShells } from "./shells.ts";

const SETTINGS = renderSettings("p", { cwd: "/usr", environment: { A: "it's 1" } });

describeShells("where the log-in's shell is", ({ file, first }) => {
  const run = (line: string, input: string): { readonly code: number | null; readonly out: string } => {
    const { status, stdout } = spawnSync(file, [...first, "-c", line], { input, encoding: "utf8" });
    return { code: status, out: stdout };
  };

  it("a command whose settings have arrived has them, and the rest of its input", () => {
    const line = renderLineWithMarkers(["/bin/sh", "-c", 'pwd; echo "$A"; cat'], "nonce", "settings-first");
    expect(run(line, `${SETTINGS}rest`)).toEqual({ code: 0, out: "/usr\nit's 1\nrest" });
  });

  it("a command whose connection is cut before its settings have arrived does not run", () => {
    const line = renderLineWithMarkers(["echo", "ran"], "nonce", "settings-first");
    for (let length = 0; length < SETTINGS.length; length += 1) {
      expect([length, run(line, SETTINGS.slice(0, length))]).toEqual([length, { code: 126, out: "" }]);
    }
  });
});

it("a command over a provider's own exec does not run either where its settings did not arrive whole", () => {
  const [file = "", ...args] = readingSettings(["echo", "ran"]);
  for (const length of [0, 10, SETTINGS.length - 1]) {
    const { status, stdout } = spawnSync(file, args, { input: SETTINGS.slice(0, length), encoding: "utf8" });
    expect([length, status, stdout]).toEqual([length, 126, ""]);
  }
  expect(spawnSync(file, args, { input: SETTINGS, encoding: "utf8" }).stdout).toBe("ran\n");
});
