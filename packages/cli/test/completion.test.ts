import { execFile, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { COMPLETION_SCRIPTS } from "../src/commands/completion.ts";
import { nodeArguments } from "./command-process.ts";

/** A home in which `slipway` is on the PATH, as a program of its own. */
function home(): { readonly directory: string; readonly env: Readonly<Record<string, string>> } {
  const directory = mkdtempSync(join(tmpdir(), "slipway-completion-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const bin = join(directory, "bin");
  mkdirSync(bin);
  const words = [process.execPath, ...nodeArguments()].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const cache = `export NODE_COMPILE_CACHE='${process.env["NODE_COMPILE_CACHE"] ?? ""}'`;
  writeFileSync(join(bin, "slipway"), `#!/bin/sh\n${cache}\nexec ${words.join(" ")} "$@"\n`);
  chmodSync(join(bin, "slipway"), 0o755);
  writeFileSync(join(directory, "setup.sh"), "");
  const path = [bin, process.env["PATH"]].join(delimiter);
  return { directory, env: { PATH: path, HOME: directory, XDG_STATE_HOME: join(directory, "state"), LANG: "C.UTF-8" } };
}

/** What is offered at the end of a line, in a real shell. */
type Offer = (line: string) => Promise<readonly string[]>;

const SHELLS: Readonly<Record<"bash" | "zsh" | "fish", (line: string) => readonly string[]>> = {
  // What bash does when the key is pressed, with the line taken apart as bash does it.
  bash: (line) => [
    "-c",
    `source "$HOME/completion"
     COMP_WORDS=(); for word in $1; do COMP_WORDS+=("$word"); done
     [[ $1 == *" " ]] && COMP_WORDS+=("")
     COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _slipway; printf '%s\\n' "\${COMPREPLY[@]}"`.replaceAll("\\$", "$"),
    "bash",
    line.replaceAll("=", " = "),
  ],
  // zsh completes only in its line editor: here its own two functions print what they are given.
  zsh: (line) => [
    "-f",
    "-c",
    `compdef() {}; _files() { print -r -- FILES }; _describe() { print -rl -- "\${(@)\${(@P)2}%%:*}" }
     source "$HOME/completion"; words=("\${(@s: :)1}"); CURRENT=$#words; _slipway`,
    "zsh",
    line,
  ],
  fish: (line) => [
    "--no-config",
    "-c",
    `source "$HOME/completion"; complete -C $argv[1] | string replace -r '\\t.*' ''; true`,
    line,
  ],
};

const names = Object.keys(SHELLS) as (keyof typeof SHELLS)[];
const isThere = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;
// In the gate all shells are there.
const tried = names.filter((shell) => process.env["SLIPWAY_REQUIRE_TOOLS"] === "1" || isThere(shell));

describe.each(tried)("completion in %s", (shell) => {
  let offer: Offer;
  let directory: string;
  function start(): void {
    const made = home();
    directory = made.directory;
    writeFileSync(join(directory, "completion"), COMPLETION_SCRIPTS[shell]);
    offer = async (line) => {
      const { stdout } = await promisify(execFile)(shell, SHELLS[shell](line), { cwd: directory, env: made.env });
      return stdout.split("\n").filter((found) => found !== "");
    };
  }

  it("offers commands, nested ones, options, and the words that an option takes", { timeout: 120_000 }, async () => {
    start();
    expect(await offer("slipway sp")).toEqual(expect.arrayContaining(["spawn", "spot"]));
    expect(await offer("slipway snapshot ")).toEqual(expect.arrayContaining(["create", "delete", "list", "status"]));
    expect(await offer("slipway spawn --ssh")).toEqual(["--ssh-key"]);
    expect(await offer("slipway list --status st")).toEqual(expect.arrayContaining(["stopped", "stopping"]));
    expect(await offer("slipway list --provider l")).toEqual(["local"]);
    expect(await offer("slipway completion ")).toEqual(expect.arrayContaining(["bash", "fish", "zsh"]));
  });

  it("runs nothing that stands on the line", { timeout: 120_000 }, async () => {
    start();
    await offer("slipway get $(touch$IFS$HOME/harm) `touch$IFS$HOME/harm` ;touch$IFS$HOME/harm; --");
    expect(existsSync(join(directory, "harm"))).toBe(false);
  });
});

it("bash takes the value behind a sign", { timeout: 120_000 }, async () => {
  const { directory, env } = home();
  writeFileSync(join(directory, "completion"), COMPLETION_SCRIPTS.bash);
  const { stdout } = await promisify(execFile)("bash", SHELLS.bash("slipway list --status=hib"), {
    cwd: directory,
    env,
  });
  expect(stdout).toBe("hibernated\n");
});
