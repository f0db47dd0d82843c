import { isProviderError } from "@slipway/core";
import type { Session as InstanceSession } from "@slipway/reach";
import { CliError } from "./cli-error.ts";
import { inputPath } from "./files.ts";
import type { RunInterrupts } from "./run-interrupts.ts";
import type { Session } from "./session.ts";

/** The files that go to a command and come from it. */
export interface RunFiles {
  readonly upload?: string;
  readonly download?: readonly string[];
}

interface InsideRun {
  readonly session: Session;
  readonly argv: readonly string[];
  readonly flags: RunFiles;
  readonly interrupts: RunInterrupts;
}

/** Where the command runs if files go there or come from there. */
const DIRECTORY = "slipway-run";

/** The same path is meant on both sides, below the directory of each. */
export function refuseOutside(paths: RunFiles["download"] = []): void {
  const path = paths.find((one) => one.startsWith("/") || one.startsWith("~/") || one.split("/").includes(".."));
  if (path === undefined) return;
  throw new CliError(
    "INVALID_ARGUMENT",
    `--download ${path} leads out of the directory that the command runs in`,
    "Give a path below it, or use slipway spawn and slipway cp.",
  );
}

/** The command as a job: it survives a lost connection, and nothing that it prints is lost or shown twice. */
export async function runInside(
  { session, argv, flags, interrupts }: InsideRun,
  inside: InstanceSession,
  signal: AbortSignal,
): Promise<number> {
  const { output, progress, world } = session;
  const { upload, download = [] } = flags;
  const cwd = upload === undefined && download.length === 0 ? undefined : DIRECTORY;
  if (cwd !== undefined) await inside.exec(["mkdir", "-p", cwd], { signal });
  if (upload !== undefined) {
    const from = inputPath(world, upload);
    progress.detail(`uploading ${upload}`);
    await inside.upload(from, cwd ?? ".", { signal });
  }
  const job = await inside.start(argv, { signal, cwd });
  interrupts.watch(job);
  progress.stop();
  for await (const { text } of job.follow({ signal })) {
    if (session.json) output.line({ type: "output", text });
    else output.raw(text);
  }
  const { exitCode } = await job.result({ signal });
  const failures: unknown[] = [];
  for (const path of download) {
    // The instance goes away after this: one that fails must not take the others with it.
    await bringBack(session, inside, path, signal).catch((error: unknown) => failures.push(error));
  }
  for (const failure of failures.slice(1)) session.report(failure);
  if (failures.length > 0) throw failures[0];
  return exitCode;
}

/** A command that failed may have written nothing: its exit code says more than what is missing. */
async function bringBack(session: Session, inside: InstanceSession, path: string, signal: AbortSignal): Promise<void> {
  try {
    await inside.download(`${DIRECTORY}/${path}`, inputPath(session.world, path), { signal });
  } catch (error) {
    // That the instance itself is gone has the same code, and is the failure of another operation.
    if (!isProviderError(error, "NOT_FOUND") || error.operation !== "download") throw error;
    session.output.note(`The command wrote no ${path}: nothing was downloaded.`);
  }
}
