import { abortError, type BootstrapState, type Operation } from "@slipway/core";

/** What the sentinel inside an instance says. */
export interface SentinelState extends BootstrapState {
  /**
   * Of the script that ran, computed inside from its bytes; compare it with `payloadChecksum` of what was sent. Null if
   * the instance could not compute it: the script came through stdin, or there is no tool for SHA-256.
   */
  readonly checksum: string | null;
  /** The boot that it ran in; null where the system does not number its boots. Running in an earlier boot means killed. */
  readonly bootId: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

const FIRST_LINE = "slipway-bootstrap 1";

/**
 * Reads a sentinel. No file (null) or an empty one is `pending`: the bootstrap has not begun. What is there and is no
 * sentinel is `unknown`, never a throw. `running` says that it began and has not finished; whether its process still
 * lives is the provider's to find out.
 */
export function parseSentinel(text: string | null): SentinelState {
  const none = { checksum: null, bootId: null, startedAt: null, finishedAt: null };
  if (text === null || text === "") return { state: "pending", ...none };
  const [first, ...lines] = text.split("\n");
  if (first !== FIRST_LINE) return { state: "unknown", ...none };
  const fields = new Map(lines.map((line): [string, string] => splitOnce(line)));
  const field = (name: string, form: RegExp): string | null => {
    const value = fields.get(name);
    return value !== undefined && form.test(value) ? value : null;
  };
  const exitCode = field("exitCode", /^\d{1,3}$/);
  const known = {
    checksum: field("checksum", /^sha256:[0-9a-f]{64}$/),
    bootId: field("boot", /^[0-9A-Za-z-]{8,64}$/),
    startedAt: field("startedAt", UTC_SECONDS),
    finishedAt: field("finishedAt", UTC_SECONDS),
  };
  if (fields.get("state") === "running") return { state: "running", ...known };
  if (fields.get("state") !== "exited" || exitCode === null) return { state: "unknown", ...known };
  return { state: exitCode === "0" ? "succeeded" : "failed", exitCode: Number(exitCode), ...known };
}

/** Whose look inside it is. */
export interface SentinelCall {
  readonly provider: string;
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the sentinel inside says, by a command that prints it. Undefined where it cannot be asked now: the instance has
 * stopped since it was read, or does not answer. An abort is thrown, of effect `none`.
 */
export async function askSentinel(
  print: () => Promise<{ readonly exitCode: number | null; readonly stdout: string }>,
  { provider, operation, signal }: SentinelCall,
): Promise<BootstrapState | undefined> {
  try {
    const { exitCode, stdout } = await print();
    if (exitCode !== 0) return { state: "unknown" };
    const { state, exitCode: ended } = parseSentinel(stdout);
    return ended === undefined ? { state } : { state, exitCode: ended };
  } catch {
    if (signal?.aborted === true) throw abortError(signal, { provider, operation, effect: "none" });
    return undefined;
  }
}

const UTC_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

function splitOnce(line: string): [name: string, value: string] {
  const at = line.indexOf("=");
  return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}

/** Where the bootstrap keeps its files in an instance, unless `SLIPWAY_BOOTSTRAP_DIR` says otherwise when it runs. */
export const BOOTSTRAP_DIRECTORY = "/var/lib/slipway/bootstrap";

/** What is in that directory. `script` is the rendered bootstrap where the instance stores it itself. */
export function bootstrapPaths(directory: string = BOOTSTRAP_DIRECTORY): {
  readonly sentinel: string;
  readonly log: string;
  readonly script: string;
} {
  return {
    sentinel: `${directory}/sentinel`,
    log: `${directory}/output.log`,
    script: `${directory}/bootstrap.sh`,
  };
}

/** The state of the bootstrap; read it with `parseSentinel`. */
export const BOOTSTRAP_SENTINEL_PATH: string = bootstrapPaths().sentinel;

/** What the installs and the user's script printed; readable by its owner alone. */
export const BOOTSTRAP_LOG_PATH: string = bootstrapPaths().log;
