import type { BootstrapSource } from "@slipway/control";
import { BOOTSTRAP_LOG_PATH, BOOTSTRAP_SENTINEL_PATH, parseSentinel } from "@slipway/provider-kit/bootstrap";
import type { Session } from "./session.ts";

const KEPT_LINES = 20;
const READ_MS = 30_000;

// The log is readable by root alone, and the log-in user of a cloud's image is often another.
const READ = [
  'cat "$1" 2>/dev/null || sudo -n cat "$1" 2>/dev/null',
  `printf '\\n%s\\n' "$3"`,
  `tail -n ${KEPT_LINES} "$2" 2>/dev/null || sudo -n tail -n ${KEPT_LINES} "$2" 2>/dev/null || true`,
].join("; ");

/**
 * What the bootstrap wrote on the instance itself, read through a session: a source for `waitForBootstrap` where the
 * provider does not report bootstrap status. It is the instance's word, and only as old as the call.
 */
export function sessionBootstrap(session: Session): BootstrapSource {
  return {
    name: "the session",
    readBootstrap: async (_id, call = {}) => {
      const border = crypto.randomUUID();
      const argv = ["/bin/sh", "-c", READ, "sh", BOOTSTRAP_SENTINEL_PATH, BOOTSTRAP_LOG_PATH, border];
      const { stdout } = await session.exec(argv, { signal: call.signal, timeoutMs: call.timeoutMs ?? READ_MS });
      const [sentinel = "", log = ""] = stdout.split(`\n${border}\n`);
      const { state, exitCode } = parseSentinel(sentinel);
      // What a machine printed is data: nothing in it may move a terminal's cursor.
      const lastLines = log
        .split("\n")
        .map((line) => line.replaceAll(/\p{Cc}/gu, " ").trimEnd())
        .filter((line) => line !== "");
      return {
        state,
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(lastLines.length === 0 ? {} : { lastLines }),
      };
    },
  };
}
