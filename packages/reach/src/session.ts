import type { CallOptions, Runtime, SshEndpoint } from "@slipway/core";
import type { StreamingExec } from "@slipway/provider-kit/command";

/** Who told the instance's host key, and the lines of it as `ssh-keyscan` prints them, without the host name. */
export interface KnownHostKeys {
  /** `api`: the remote itself. `reported`: the instance, authenticated by its token. */
  readonly from: "api" | "reported";
  /** For example `ssh-ed25519 AAAA…`. */
  readonly keys: readonly string[];
}

/** How to log in where the provider has no exec of its own. */
export interface SshAccess {
  /** The file of the private key. An encrypted key fails at once: nobody is asked for a passphrase. */
  readonly identityFile: string;
  /** Absent: the key that the instance shows first is believed, and a later change of it is an error. */
  readonly hostKeys?: KnownHostKeys | undefined;
  /** Another way to the instance than the one that the provider shows: a tunnel, or an emulator on this machine. */
  readonly endpoint?: ((shown: SshEndpoint | undefined) => SshEndpoint | undefined) | undefined;
  /**
   * `exec` runs the program `ssh`, and `stream` does so where it reads a stream; provider-kit's runner if both are absent.
   * With `exec` alone an upload goes in parts.
   */
  readonly runtime?:
    | (Pick<Partial<Runtime>, "clock" | "exec"> & {
        readonly stream?: StreamingExec;
        /** Runs the command of a `tty`; on this process's own terminal if absent. */
        readonly terminal?: RunOnTerminal;
      })
    | undefined;
}

/** Runs a program of this machine on a terminal, and ends it when the signal aborts. Resolves to its exit code. */
export type RunOnTerminal = (file: string, args: readonly string[], signal: AbortSignal) => Promise<number>;

export interface SessionExecOptions extends CallOptions {
  readonly stdin?: string | Uint8Array | undefined;
  /** Where the command runs; the log-in's home if absent. A directory that is not there gives exit code 126. */
  readonly cwd?: string | undefined;
  /** Added to the log-in's own. Goes through the command's input: it stands in no argument list. One line per value. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** How a command ended. A non-zero exit is a result: 127 not found, 128 and the signal's number where a signal ended it. */
export interface SessionResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A way into one instance. Only over SSH is it known that a terminal and a forwarded port can be had: ask `via`. */
export type Session = NativeSession | SshSession;

/** Over the provider's own exec. */
export interface NativeSession extends SessionMethods {
  readonly via: "native";
  readonly hostKey?: undefined;
  /** Absent where the provider can open no terminal. */
  readonly tty?: TtyMethod;
  /** Absent where the provider can forward no port. */
  readonly forward?: ForwardMethod;
}

/** Over the system's own `ssh`. */
export interface SshSession extends SessionMethods {
  readonly via: "ssh";
  /** How the host key came to be trusted. */
  readonly hostKey: "api" | "reported" | "first-use";
  readonly tty: TtyMethod;
  readonly forward: ForwardMethod;
}

/**
 * Runs a program on this process's terminal, as a shell or an editor needs it. The exit code is the program's. INVALID_STATE
 * where this process has no terminal.
 */
export type TtyMethod = (argv: readonly string[], options?: TtyOptions) => Promise<{ readonly exitCode: number }>;

/** Opens a port of 127.0.0.1 that leads to one of the instance, until it is disposed of or the session is closed. */
export type ForwardMethod = (remotePort: number, options?: ForwardOptions) => Promise<Forward>;

export type TtyOptions = Pick<SessionExecOptions, "cwd" | "signal" | "timeoutMs">;

export interface ForwardOptions {
  /** Any free one if absent. */
  readonly localPort?: number | undefined;
  /** Closes it. */
  readonly signal?: AbortSignal | undefined;
}

/** A port of this machine that leads to one of an instance. Disposing of it closes every connection. */
export interface Forward extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
}

/** What every session has. */
export interface SessionMethods extends AsyncDisposable {
  /**
   * Runs a program with its argument list as it is. Rejects with a ProviderError whose `effect` is `none` if nothing ran
   * and `unknown` if it began and nobody saw its end. An abort ends the command's process group on the instance.
   */
  readonly exec: (argv: readonly string[], options?: SessionExecOptions) => Promise<SessionResult>;
  /**
   * Starts a program that goes on without this session: its output and its exit code are kept in files on the instance.
   * Resolves when it has begun. Where an answer is lost it asks again for a minute, and starts nothing twice. If it rejects
   * with `effect: unknown`, the program may run: start it again under the same `id`, or kill it by that. An abort ends it, and
   * what is still on its way under that `id` begins no more: a later start answers a job that ended with 137.
   */
  readonly start: (argv: readonly string[], options?: JobOptions) => Promise<Job>;
  /** A job that was started before, in any session to the same instance as the same user. Asks nothing. */
  readonly job: (id: string) => Job;
  /**
   * Copies a local file to the path `to` (into it, if it is a directory), or a directory's content into the directory
   * `to`; what is missing is made. A relative path on the instance begins at the log-in's home. It needs tar and gzip there.
   */
  readonly upload: (from: string, to: string, options?: CopyOptions) => Promise<void>;
  /**
   * Copies a file or a directory's content back in the same way. What the instance sends is not trusted: nothing is
   * written outside of `to`, and an archive that tries is INVALID_STATE.
   */
  readonly download: (from: string, to: string, options?: CopyOptions) => Promise<void>;
}

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** The most that a download may write, bytes; 16 GiB if absent. */
  readonly maxBytes?: number | undefined;
}

export interface JobOptions extends Pick<SessionExecOptions, "cwd" | "environment" | "signal" | "timeoutMs"> {
  /**
   * A UUID of the caller's own, written down before the start: after a crash the same start answers the same job. A new
   * one if absent.
   */
  readonly id?: string | undefined;
}

export interface FollowOptions {
  /** Of the job's output; 0 if absent. */
  readonly fromByte?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a lost connection may stay lost, milliseconds; a minute if absent. */
  readonly reconnectMs?: number | undefined;
}

/** A piece of a job's output, stdout and stderr as they were printed. */
export interface JobOutput {
  readonly text: string;
  /** Where to go on after it. Never within a character. */
  readonly nextByte: number;
}

/** A program that runs on without a session. */
export interface Job {
  readonly id: string;
  /** Yields what the job prints until it ends. Reconnects, and yields each byte once. */
  readonly follow: (options?: FollowOptions) => AsyncIterable<JobOutput>;
  /** Waits for the end. Rejects with INVALID_STATE if the job is gone and left no exit code: killed, or the instance was restarted. */
  readonly result: (options?: Omit<FollowOptions, "fromByte">) => Promise<{ readonly exitCode: number }>;
  /** Sends a signal to the job's process group; TERM if absent. A job that has ended resolves. */
  readonly kill: (signal?: "TERM" | "INT" | "HUP" | "KILL") => Promise<void>;
}
