import { type CommandResult, type ErrorEffect, type Exec, runtimeDefaults } from "@slipway/core";
import { commandFailure, commandRunner } from "@slipway/provider-kit/command";
import type { Call } from "@slipway/provider-kit/driver";
import { failureOf, PROVIDER, refusal } from "./errors.ts";
import { HOST_PROGRAM } from "./host-program.ts";
import type { Held } from "./instance.ts";
import { DEFAULT_DIRECTORY, type SshHost, type SshHostsOptions } from "./options.ts";
import { type HostState, stateFrom } from "./wire.ts";

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

interface Looked {
  readonly held: readonly Held[];
  readonly free: readonly SshHost[];
}

/** The only thing that runs ssh. */
export interface SshClient {
  /** All of these hosts, asked at once. Complete, or it rejects: a host that does not answer is no free host. */
  readonly look: (call: Call, hosts: readonly SshHost[]) => Promise<Looked>;
  /** What the program said of its host. Throws INTERNAL where it printed something else. */
  readonly readState: (call: Call, host: SshHost, command: Command) => Promise<HostState>;
  /** What the program on the host printed. Rejects with a ProviderError where it did not succeed. */
  readonly run: (call: Call, host: SshHost, command: Command) => Promise<string>;
  /** As it ended, whatever the exit code. */
  readonly end: (call: Call, host: SshHost, command: Command) => Promise<CommandResult>;
}

const READS: ReadonlySet<Verb> = new Set(["list", "log", "read"]);
const effectOf = (verb: Verb): ErrorEffect => (READS.has(verb) ? "none" : "unknown");
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
    try {
      return await exec("ssh", [...settings, "--", host.name, line], {
        ...{ stdin, timeoutMs, onStdout, onStderr },
        // A script as short as `exit 0` is none: it stands in the program as well.
        secrets: secrets?.filter((secret) => !HOST_PROGRAM.includes(secret)),
        signal: call.signal,
      });
    } catch (error) {
      throw commandFailure(error, { provider: PROVIDER, operation: call.operation, effect: effectOf(verb) });
    }
  }

  async function run(call: Call, host: SshHost, command: Command): Promise<string> {
    const result = await end(call, host, command);
    if (result.exitCode === 0) return result.stdout;
    throw failureOf(result, { operation: call.operation, effect: effectOf(command.verb), host: host.name });
  }

  async function readState(call: Call, host: SshHost, command: Command): Promise<HostState> {
    const said = stateFrom(await run(call, host, command));
    if (said !== null) return said;
    throw refusal("INTERNAL", call.operation, `${host.name} printed something else than was expected`, {
      effect: effectOf(command.verb),
      hint: "Does the login's shell print something of its own at its start?",
    });
  }

  async function look(call: Call, hosts: readonly SshHost[]): Promise<Looked> {
    const states = await Promise.all(
      hosts.map(async (host) => ({ host, said: await readState(call, host, { verb: "list" }) })),
    );
    return {
      held: states.flatMap(({ host, said }) => ("claim" in said ? [{ host, claim: said.claim }] : [])),
      free: states.flatMap(({ host, said }) => ("free" in said ? [host] : [])),
    };
  }

  return { look, readState, run, end };
}

/** One word for the shell on the other side, whatever it holds. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
