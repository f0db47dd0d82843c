import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, closeSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { mountArguments, namespaceArguments, type SandboxBind, type SandboxNetwork } from "./bubblewrap.ts";
import { endSandbox } from "./end.ts";
import type { IsolationReport, Sandbox } from "./isolation.ts";
import {
  ATTEMPT_INSIDE,
  makeBindTarget,
  makeMountPoint,
  prepareRoot,
  RUN_DIRECTORY_INSIDE,
  SandboxError,
  type SandboxLayout,
  sandboxEnvironment,
  sandboxLayout,
  withStart,
} from "./layout.ts";
import { identify } from "./process-identity.ts";
import { childOf } from "./status.ts";

export interface SandboxSpec {
  /** Unique on this machine: `[A-Za-z0-9._-]{1,128}`. The processes are found by it. */
  readonly id: string;
  /** Absolute. Made if it is missing, in a directory that is there; a `root` that is there already is kept. */
  readonly directory: string;
  /** What `detectIsolation` answered. */
  readonly isolation: IsolationReport;
  /** Runs until the sandbox ends. Visible in the process list: no secrets. */
  readonly argv: readonly string[];
  /** Added to the sandbox's own few entries. Readable by the user's other processes: no secrets. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The sandbox's own where it has a namespace for it; the id if absent. At most 64 characters. */
  readonly hostname?: string | undefined;
  /** `shared` if absent. `isolated` needs bubblewrap. */
  readonly network?: SandboxNetwork | undefined;
  /** Needs bubblewrap. */
  readonly binds?: readonly SandboxBind[] | undefined;
  /** It ends with the process that starts it, however that ends. False if absent. Needs bubblewrap. */
  readonly endsWithCaller?: boolean | undefined;
}

const START_TIMEOUT_MS = 30_000;
const UNHEARD = `nothing was heard of it for ${START_TIMEOUT_MS} ms`;
// In the sandbox, before the command: is this start still wanted? Then says so on descriptor 3, and waits on descriptor 7
// until its caller knows which process it is: a command that ends at once would be gone before anybody looked. If nobody
// listens any more, the read ends it: a start that its caller did not live to see leaves nothing. Only then does it take
// the attempt's tag, by which `findSandbox` knows it: what may still end without having begun is never taken for a sandbox.
const FIRST_STEP =
  'IFS= read -r wanted <"$1"; [ "$wanted" = "$SLIPWAY_SANDBOX_START" ] || exit 90; ' +
  "echo up >&3; IFS= read -r go <&7 || exit 91; shift; " +
  "SLIPWAY_SANDBOX_ATTEMPT=$SLIPWAY_SANDBOX_START; export SLIPWAY_SANDBOX_ATTEMPT; unset SLIPWAY_SANDBOX_START; " +
  'exec /bin/sh "$@"';
// With the tag in place. That descriptor 3 is closed tells the caller so: nothing is written, since the caller may be gone.
const SECOND_STEP = 'exec >&6 2>&1 3>&- 4>&- 5<&- 6>&- 7<&-; cd "$HOME"; ';
// With a pid namespace the shell stays as process 1: it takes up the orphans that end while it waits, and with it all
// others end. Not in the background: a shell would make the command deaf to SIGINT.
const RUN_AS_CHILD = '"$@"; exit $?';
const RUN_INSTEAD = 'exec "$@"';

/**
 * Starts a sandbox and resolves when its command begins. It outlives this process, unless it
 * `endsWithCaller`. Where an earlier start in the same directory may have been cut off, call `endSandbox` first; the two
 * together never leave a second tree. Throws SandboxError `not-started` with what was said, `unsupported`, `invalid`, or a
 * file system error.
 */
export async function startSandbox(spec: SandboxSpec): Promise<Sandbox> {
  check(spec);
  const layout = sandboxLayout(spec.directory);
  const { isolation } = spec.isolation;
  prepareRoot(layout, isolation, spec.hostname ?? spec.id);
  if (isolation === "bubblewrap") prepareMountPoints(spec, layout);
  const attempt = crypto.randomUUID();
  writeAttempt(layout, attempt);
  const own = sandboxEnvironment(spec.id, layout, isolation, spec.environment);
  const child = launch(spec, layout, withStart(own, attempt));
  const failure = await firstStep(child);
  const pid = failure === null ? childOf(layout) : null;
  const process = pid === null ? null : await identify(pid);
  const obstacle = process === null ? (failure ?? "its process is gone") : await letGo(child);
  if (process === null || obstacle !== null) {
    await endSandbox({ id: spec.id, directory: spec.directory });
    throw new SandboxError("not-started", `the sandbox did not start: ${said(layout) || obstacle}`);
  }
  return { id: spec.id, isolation, network: spec.network ?? "shared", directory: spec.directory, process };
}

function check(spec: SandboxSpec): void {
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(spec.id))
    throw new SandboxError("invalid", "a sandbox's id is [A-Za-z0-9._-]{1,128}");
  if (!spec.directory.startsWith("/")) throw new SandboxError("invalid", "a sandbox's directory is absolute");
  if (spec.isolation.isolation === "bubblewrap") return;
  if (spec.network === "isolated") throw new SandboxError("unsupported", "an isolated network needs bubblewrap");
  if ((spec.binds ?? []).length > 0) throw new SandboxError("unsupported", "binds need bubblewrap");
  if (spec.endsWithCaller === true) throw new SandboxError("unsupported", "an end with the caller needs bubblewrap");
}

/** Every place that bubblewrap mounts on is made here, since bubblewrap follows what links a root holds. */
function prepareMountPoints(spec: SandboxSpec, layout: SandboxLayout): void {
  makeMountPoint(layout.root, RUN_DIRECTORY_INSIDE, true);
  makeMountPoint(layout.root, ATTEMPT_INSIDE, false);
  for (const { source, target } of spec.binds ?? []) {
    makeBindTarget(layout.root, target, statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? true);
  }
}

/** Renamed into place, so that a reader sees the old or the new one, whole. */
function writeAttempt(layout: SandboxLayout, attempt: string): void {
  const draft = join(layout.directory, "attempt.draft");
  writeFileSync(draft, `${attempt}\n`);
  renameSync(draft, layout.attempt);
}

function launch(spec: SandboxSpec, layout: SandboxLayout, env: Record<string, string>): ChildProcess {
  const opened: number[] = [];
  const kept = (file: number): number => {
    opened.push(file);
    return file;
  };
  try {
    const log = kept(openSync(layout.log, "a", 0o600));
    const complaints = kept(openBegun(layout.complaints));
    const status = kept(openBegun(layout.status));
    const settings = kept(settingsFile(spec, layout));
    const [file, args] = command(spec, layout);
    const child = spawn(file, args, {
      cwd: layout.directory,
      env,
      detached: true,
      stdio: ["ignore", complaints, complaints, "pipe", status, settings, log, "pipe"],
    });
    if (spec.isolation.isolation === "process-group" && child.pid !== undefined) {
      // What bubblewrap writes for itself.
      writeFileSync(status, `${JSON.stringify({ "child-pid": child.pid })}\n`);
      child.once("exit", (code, signal) => writeExitCode(layout, child.pid, code, signal));
    }
    return child;
  } finally {
    for (const file of opened) closeSync(file);
  }
}

/** Known only while this process lives: without bubblewrap nobody else waits for the command. */
function writeExitCode(
  layout: SandboxLayout,
  pid: number | undefined,
  code: number | null,
  signal: NodeJS.Signals | null,
): void {
  // Another start may stand in the directory by now, or none.
  if (childOf(layout) !== pid) return;
  const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  try {
    appendFileSync(layout.status, `${JSON.stringify({ "exit-code": exitCode })}\n`);
  } catch {
    // Then nothing tells how it ended, as where this process ends first.
  }
}

/** With its first block taken: on a full disk it is this that fails, by its name, and not a write that nobody sees. */
function openBegun(path: string): number {
  const file = openSync(path, "w", 0o600);
  try {
    writeFileSync(file, "\n");
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** bubblewrap's many arguments, so that the process list stays readable. From a file: half a pipe would be half a sandbox. */
function settingsFile(spec: SandboxSpec, layout: SandboxLayout): number {
  const hostname = (spec.hostname ?? spec.id).slice(0, 64);
  const args = [
    ...namespaceArguments({ hostname, network: spec.network ?? "shared" }),
    ...mountArguments(layout, spec.binds ?? []),
    // To a file and to no pipe: a write to a caller that is gone would end bubblewrap before it lets its child run.
    ...["--as-pid-1", "--json-status-fd", "4"],
    ...(spec.endsWithCaller === true ? ["--die-with-parent"] : []),
  ];
  writeFileSync(layout.settings, args.map((word) => `${word}\0`).join(""), { mode: 0o600 });
  return openSync(layout.settings, "r");
}

function command(spec: SandboxSpec, layout: SandboxLayout): [string, string[]] {
  const first = (attempt: string, run: string): string[] => [
    ...["-c", FIRST_STEP, "slipway-sandbox", attempt],
    ...["-c", SECOND_STEP + run, "slipway-sandbox", ...spec.argv],
  ];
  const { tools } = spec.isolation;
  if (tools === null) return ["/bin/sh", first(layout.attempt, RUN_INSTEAD)];
  return [tools.bwrap, ["--args", "5", "--", "/bin/sh", ...first(ATTEMPT_INSIDE, RUN_AS_CHILD)]];
}

/** Null when the first step was done; else why it was not. */
function firstStep(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    const { ready } = pipesOf(child);
    const failed = (error: Error): void => settle(error.message);
    const exited = (code: number | null, signal: NodeJS.Signals | null): void => {
      settle(signal === null ? `it exited with ${code}` : `it was ended by ${signal}`);
    };
    const settle = (failure: string | null): void => {
      clearTimeout(timer);
      if (failure !== null) ready.destroy();
      child.off("error", failed);
      child.off("exit", exited);
      child.on("error", () => undefined);
      child.unref();
      resolve(failure);
    };
    const timer = setTimeout(() => settle(UNHEARD), START_TIMEOUT_MS);
    ready.once("data", () => settle(null));
    child.once("error", failed);
    child.once("exit", exited);
  });
}

/** The command may begin. Null when it bears its tag, or has ended since; else why not. */
function letGo(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    const { ready, go } = pipesOf(child);
    const settle = (failure: string | null): void => {
      clearTimeout(timer);
      ready.destroy();
      resolve(failure);
    };
    const timer = setTimeout(() => settle(UNHEARD), START_TIMEOUT_MS);
    ready.once("close", () => settle(null));
    ready.resume();
    // It was ended meanwhile.
    go.on("error", () => undefined);
    go.end("go\n");
  });
}

/** Pipes by `launch`'s table. */
function pipesOf(child: ChildProcess): { readonly ready: Readable; readonly go: Writable } {
  const stdio = child.stdio as readonly unknown[];
  return { ready: stdio[3] as Readable, go: stdio[7] as Writable };
}

/** The last line that bubblewrap printed. */
function said(layout: SandboxLayout): string {
  const text = readFileSync(layout.complaints, "utf8").trim();
  return text.slice(text.lastIndexOf("\n") + 1).slice(0, 300);
}
