import type { CallOptions, Runtime, SshEndpoint } from "@slipway/core";

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
  /** `exec` runs the program `ssh`; provider-kit's runner if absent. */
  readonly runtime?: Pick<Partial<Runtime>, "clock" | "exec"> | undefined;
}

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

/** A way into one instance. */
export interface Session extends AsyncDisposable {
  readonly via: "native" | "ssh";
  /** How the host key came to be trusted; absent without SSH. */
  readonly hostKey?: "api" | "reported" | "first-use";
  /**
   * Runs a program with its argument list as it is. Rejects with a ProviderError whose `effect` is `none` if nothing ran
   * and `unknown` if it began and nobody saw its end. An abort ends the command's process group on the instance.
   */
  readonly exec: (argv: readonly string[], options?: SessionExecOptions) => Promise<SessionResult>;
}
