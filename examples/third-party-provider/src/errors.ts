import {
  type CommandResult,
  type ErrorCode,
  type ErrorEffect,
  type ErrorScope,
  type Operation,
  ProviderError,
} from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";

export const PROVIDER = "ssh-hosts";

/** What ssh or the program on the host says, and what the user gets. The first row that fits counts. */
export interface SshErrorRow {
  readonly id: string;
  /** One operation at which it can be provoked. */
  readonly operation: string;
  readonly exitCode: number;
  /** A text that the row alone has, as OpenSSH writes it. */
  readonly text: string;
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** What is true after a write; a read never has an effect. */
  readonly effect: ErrorEffect;
  readonly hint: string;
}

const refused = { operation: "spawn", exitCode: 255, effect: "none" } as const;

// ssh answers 255 for all of its own failures: only the texts tell them apart.
export const sshErrorTable: readonly SshErrorRow[] = [
  {
    ...refused,
    id: "permission-denied",
    text: "Permission denied",
    code: "AUTH_ERROR",
    hint: "Try `ssh <host> true` by hand: the key must be loaded, and the host must know it.",
  },
  {
    ...refused,
    id: "host-key",
    text: "Host key verification failed",
    code: "AUTH_ERROR",
    hint: "Connect once by hand and look at the key, or mend known_hosts.",
  },
  {
    ...refused,
    id: "unknown-host",
    text: "Could not resolve hostname",
    code: "NETWORK",
    hint: "Look at the host's name in the config.",
  },
  { ...refused, id: "refused", text: "Connection refused", code: "NETWORK", hint: "Is sshd running on the host?" },
  {
    ...refused,
    id: "no-route",
    text: "No route to host",
    code: "NETWORK",
    hint: "Is the host on, and reachable from here?",
  },
  {
    ...refused,
    id: "connect-timeout",
    text: "timed out",
    code: "TIMEOUT",
    hint: "Is the host on, and reachable from here?",
  },
  {
    ...refused,
    id: "disk-full",
    exitCode: 28,
    text: "No space left on device",
    code: "QUOTA_EXCEEDED",
    hint: "The host's disk is full.",
  },
  {
    ...refused,
    id: "broken-connection",
    text: "Connection reset",
    code: "NETWORK",
    effect: "unknown",
    hint: "The connection broke on the way: spawn the same key again, it is looked up.",
  },
];

export interface At {
  readonly operation: Operation;
  /** Of this command, if it ran: `none` for one that reads. */
  readonly effect: ErrorEffect;
  readonly host: string;
}

/** What a command on a host came to that did not succeed. */
export function failureOf({ exitCode, signal, stderr }: CommandResult, { operation, effect, host }: At): ProviderError {
  const row = sshErrorTable.find((one) => one.exitCode === exitCode && stderr.includes(one.text));
  const ended = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
  return new ProviderError(row?.code ?? "INTERNAL", {
    message: `${host}: ${row?.text ?? `the command ended with ${ended}`}`,
    provider: PROVIDER,
    operation,
    effect: effect === "none" ? "none" : (row?.effect ?? "unknown"),
    scope: row?.scope,
    hint: row?.hint,
  });
}

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);
