// docs/first-hour.md, block by block, as somebody walks through it: in an empty folder, with a home of their own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";

const BLOCK_SECONDS = 240;
const END = "--- the block has ended";

export async function firstHour({ root, place, env, report }) {
  const folder = path.join(place, "first-hour");
  const home = path.join(place, "first-hour-home");
  for (const each of [folder, home]) mkdirSync(each);
  const text = readFileSync(path.join(root, "docs", "first-hour.md"), "utf8");
  const shell = startShell(folder, { ...env, HOME: home, XDG_STATE_HOME: path.join(home, "state") });
  try {
    let title = "";
    for (const [, heading, block] of text.matchAll(/^## (.+)$|^```sh\n([\s\S]*?)^```$/gm)) {
      if (heading !== undefined) {
        title = heading;
        continue;
      }
      const done = await report.check(`the first hour: ${title}: ${block.trim().split("\n")[0]}`, () =>
        shell.run(block),
      );
      // What follows stands on it.
      if (!done) return;
    }
  } finally {
    shell.end();
  }
}

/** One shell for all blocks: folders, variables and jobs go on from one to the next, as in a terminal. */
function startShell(cwd, env) {
  const child = spawn("bash", ["-s"], { cwd, env, stdio: ["pipe", "pipe", "pipe"], detached: true });
  let said = "";
  let wake = () => undefined;
  const heard = (chunk) => {
    said += String(chunk);
    wake();
  };
  child.stdout.on("data", heard);
  child.stderr.on("data", heard);
  child.once("exit", () => {
    said += `\n${END} with an early end\n`;
    wake();
  });
  child.stdin.on("error", () => undefined);
  // Job control, for kill %1.
  child.stdin.write("set -m\n");
  return {
    run: async (block) => {
      said = "";
      // No input for what is in it: that would eat the lines behind it.
      child.stdin.write(`set -e\n{\n${block}\n} </dev/null\nset +e\necho "${END} with $?"\n`);
      const deadline = AbortSignal.timeout(BLOCK_SECONDS * 1000);
      while (!said.includes(END)) {
        await new Promise((resolve, reject) => {
          wake = resolve;
          deadline.addEventListener("abort", () => reject(new Error(`it did not end:\n${said}`)), { once: true });
        });
      }
      assert.match(said, new RegExp(`${END} with 0`), said);
    },
    end: () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGTERM");
      } catch {
        // It has ended.
      }
    },
  };
}
