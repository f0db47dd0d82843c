import { type CommandResult, type Exec, type Operation, runtimeDefaults } from "@slipway/core";
import { commandFailure, commandRunner } from "@slipway/provider-kit/command";
import { failureOf, PROVIDER } from "./errors.ts";
import { HOST_PROGRAM } from "./host-program.ts";
import { DEFAULT_DIRECTORY, type SshHost, type SshHostsOptions } from "./options.ts";

/** One call of the contract. */
export interface Call {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

type Verb = "list" | "claim" | "release" | "log" | "put" | "read" | "exec";

export interface Command {
  readonly verb: Verb;
  readonly args?: readonly string[] | undefined;
  readonly stdin?: string | undefined;
  readonly secrets?: readonly string[] | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The only thing that runs ssh. */
export interface SshClient {
  /** What the program on the host printed. Rejects with a ProviderError where it did not succeed. */
  readonly run: (call: Call, host: SshHost, command: Command) => Promise<string>;
  /** As it ended, whatever the exit code. */
  readonly end: (call: Call, host: SshHost, command: Command) => Promise<CommandResult>;
}

const READS: ReadonlySet<Verb> = new Set(["list", "log", "read"]);
const TIMEOUT_MS = 60_000;

export function sshClient({ sshConfig, connectTimeoutSeconds = 10, runtime }: SshHostsOptions): SshClient {
  const { clock, log, onEvent } = runtimeDefaults(runtime);
  const inherit = ["PATH", "HOME", "USER", "LANG", "SSH_AUTH_SOCK"];
  const exec: Exec = runtime?.exec ?? commandRunner({ provider: PROVIDER, clock, log, onEvent, inherit });
  const settings = [
    ...(sshConfig === undefined ? [] : ["-F", sshConfig]),
    // Nobody is there to be asked.
    ...["-o", "BatchMode=yes", "-o", `ConnectTimeout=${connectTimeoutSeconds}`, "-o", "ServerAliveInterval=15"],
  ];

  async function end(call: Call, host: SshHost, command: Command): Promise<CommandResult> {
    const { verb, args = [], stdin = "", secrets, onStdout, onStderr, timeoutMs = TIMEOUT_MS } = command;
    const words = [host.directory ?? DEFAULT_DIRECTORY, verb, ...args].map(quoted).join(" ");
    const line = `sh -c ${quoted(HOST_PROGRAM)} slipway ${words}`;
    const effect = READS.has(verb) ? "none" : "unknown";
    try {
      return await exec("ssh", [...settings, "--", host.name, line], {
        ...{ stdin, timeoutMs, onStdout, onStderr },
        // A script as short as `exit 0` is none: it stands in the program as well.
        secrets: secrets?.filter((secret) => !HOST_PROGRAM.includes(secret)),
        signal: call.signal,
      });
    } catch (error) {
      throw commandFailure(error, { provider: PROVIDER, operation: call.operation, effect });
    }
  }

  return {
    end,
    run: async (call, host, command) => {
      const result = await end(call, host, command);
      if (result.exitCode === 0) return result.stdout;
      const effect = READS.has(command.verb) ? "none" : "unknown";
      throw failureOf(result, { operation: call.operation, effect, host: host.name });
    },
  };
}

/** One word for the shell on the other side, whatever it holds. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
