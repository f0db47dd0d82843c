import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { SpawnProcess } from "./world.ts";

const KILL_AFTER_MS = 3000;
const SETPRIV = "/usr/bin/setpriv";
const WITH_PARENT = ["--pdeathsig", "TERM", "--"];
const PROBE_MS = 2000;

/**
 * Runs a program with this process's own terminal. On Linux it ends with this process also where that is killed at once: a
 * port that is forwarded would stay open, with nobody who knows of it.
 */
export async function spawnProcess(
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  setpriv: string = SETPRIV,
): ReturnType<SpawnProcess> {
  const [{ spawn }, { constants: system }] = await Promise.all([import("node:child_process"), import("node:os")]);
  const [program, ...words] = (await endsWithParent(file, setpriv))
    ? [setpriv, ...WITH_PARENT, file, ...args]
    : [file, ...args];
  return new Promise((resolve, reject) => {
    // It stays in the terminal's foreground group, without which it could not read what is typed.
    const child = spawn(program, words, { stdio: "inherit" });
    let killing: NodeJS.Timeout | undefined;
    const end = (): void => {
      child.kill("SIGTERM");
      killing = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    };
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    const over = (): void => {
      clearTimeout(killing);
      signal.removeEventListener("abort", end);
    };
    child.on("error", (error) => {
      over();
      reject(error);
    });
    child.on("exit", (code, by) => {
      over();
      resolve(code ?? 128 + (by === null ? 0 : system.signals[by]));
    });
  });
}

/** Not for a program that is missing: the system says so itself then. */
async function endsWithParent(file: string, setpriv: string): Promise<boolean> {
  if (process.platform !== "linux" || !(await isProgram(file))) return false;
  // BusyBox's has no such option, nor has util-linux's before 2.33: the program would not run at all.
  const { execFile } = await import("node:child_process");
  return await new Promise((resolve) => {
    execFile(setpriv, [...WITH_PARENT, "/bin/sh", "-c", ":"], { timeout: PROBE_MS }, (error) =>
      resolve(error === null),
    );
  });
}

async function isProgram(file: string): Promise<boolean> {
  if (file.includes("/")) return await isExecutable(file);
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    if (await isExecutable(join(directory, file))) return true;
  }
  return false;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
