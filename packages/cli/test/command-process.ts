import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const main = new URL("../src/main.ts", import.meta.url).href;
const start = `(await import(${JSON.stringify(main)})).main(process.argv.slice(1))`;

/** Node's arguments for the command as a process of its own, from its source, on the real local provider. */
export function nodeArguments(...args: readonly string[]): readonly string[] {
  return ["--conditions=@slipway/source", "--input-type=module", "-e", start, "--", ...args];
}

/** This process's environment without what vitest put into it, and with a state directory of the test's own. */
export function environment(stateHome: string): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _vitest, ...env } = process.env;
  return { ...env, XDG_STATE_HOME: stateHome };
}

export async function runProgram(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Run> {
  try {
    const { stdout, stderr } = await promisify(execFile)(file, args, options);
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    // execFile rejects with the outputs and the exit code on the error.
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}
