import type { CommandOptions, Exec } from "@slipway/core";
import { fixtures } from "./fixtures.ts";

export interface Sent {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: CommandOptions;
}

/** The row of a fixture, or what the command prints on stdout. */
type Answer = string | { readonly stdout: string; readonly stderr?: string; readonly exitCode?: number };

const HEALTHY: Readonly<Record<string, Answer>> = {
  "--version": { stdout: "container CLI version 1.2.2 (build: release, commit: 0190097)\n" },
  "system status": { stdout: '{"status":"running"}\n' },
  list: { stdout: "[]\n" },
  inspect: "container-not-found",
  "volume list": { stdout: "[]\n" },
  "network list": { stdout: '[{"id":"default"}]\n' },
};

/** A `container` that has nothing, and answers as told. A verb that nobody told of prints nothing and succeeds. */
export function answeringExec(answers: Readonly<Record<string, Answer>>, sent: Sent[] = []): Exec {
  return async (file, args, options = {}) => {
    sent.push({ file, args, options });
    const [first = "", second = ""] = args;
    const answer = answers[`${first} ${second}`] ?? answers[first] ?? HEALTHY[`${first} ${second}`] ?? HEALTHY[first];
    if (answer === undefined) return { exitCode: 0, signal: null, stdout: "", stderr: "" };
    if (typeof answer !== "string") return { exitCode: 0, signal: null, stderr: "", ...answer };
    const fixture = fixtures[answer];
    if (fixture === undefined) throw new Error(`no fixture for ${answer}`);
    return { exitCode: fixture.exitCode, signal: null, stdout: "", stderr: fixture.stderr };
  };
}
