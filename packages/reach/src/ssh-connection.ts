import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandResult, Exec, SshEndpoint } from "@slipway/core";
import { isCommandError, type StreamingExec } from "@slipway/provider-kit/command";
import { refusal } from "./refusal.ts";
import type { KnownHostKeys } from "./session.ts";

export interface SshTarget {
  readonly provider: string;
  readonly id: string;
  readonly endpoint: SshEndpoint;
  readonly identityFile: string;
  readonly hostKeys: KnownHostKeys | undefined;
  readonly exec: Exec;
  /** The same for a command that reads a stream, where there is one. */
  readonly stream: StreamingExec | null;
}

const CONNECT_SECONDS = 15;
// A machine that is gone is noticed after three of these.
const ALIVE_SECONDS = 15;
const PERSIST_SECONDS = 60;
const START_TIMEOUT_MS = 45_000;
const CONTROL_TIMEOUT_MS = 5000;
// sshd's own default is 10 for each connection, and nobody says how many are in use.
const MOST_AT_ONCE = 8;
// Words of our own: those of ssh differ by its version and by how much it is told to say.
const NO_MASTER = "slipway-has-no-shared-connection";

/** One master: whoever used it can ask later whether it is gone, also if there is another one by then. */
export interface Master {
  readonly ready: Promise<void>;
}

/**
 * One connection to an instance that all its commands share: a master of the program `ssh`, which ends a minute after the
 * last command if this process is gone. Commands never open a connection of their own beside it, because then nobody
 * could say which of the two ran. Windows' ssh has no master: there each command connects.
 */
export class SshConnection {
  readonly #target: SshTarget;
  readonly #directory: string;
  readonly #isShared: boolean;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #forwards = 0;
  #master: Master | null = null;

  private constructor(target: SshTarget, directory: string, isShared: boolean) {
    this.#target = target;
    this.#directory = directory;
    this.#isShared = isShared;
  }

  /** Checks the endpoint and makes a directory of its own, 0700. Does not connect. */
  static async prepare(target: SshTarget, platform: NodeJS.Platform = process.platform): Promise<SshConnection> {
    checkEndpoint(target);
    // Short, since a socket's path has about a hundred bytes.
    const directory = await mkdtemp(join(tmpdir(), "slipway-"));
    const { hostKeys, endpoint } = target;
    const lines = (hostKeys?.keys ?? []).map((key) => `${hostAlias(endpoint)} ${key}\n`);
    await writeFile(join(directory, "known_hosts"), lines.join(""), { mode: 0o600 });
    return new SshConnection(target, directory, platform !== "win32");
  }

  /** Runs a line on the instance. Rejects with `effect: none` if there is no connection; what ssh itself ends with is a result. */
  async run<O extends { readonly signal?: AbortSignal | undefined }>(
    line: string,
    options: O,
    exec: (file: string, args: readonly string[], options: O) => Promise<CommandResult>,
  ): Promise<{ readonly result: CommandResult; readonly master: Master | null }> {
    await this.#enter(options.signal);
    try {
      const master = await this.connect(options.signal);
      return { result: await exec("ssh", this.#commandArguments(line), options), master };
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Starts the master, or resolves to it at once if there is one. Null on Windows. */
  async connect(signal?: AbortSignal): Promise<Master | null> {
    if (!this.#isShared) return null;
    const master = (this.#master ??= this.#begin());
    await (signal === undefined ? master.ready : orAborted(master.ready, signal));
    return master;
  }

  /**
   * True if that master is gone: the next command starts another. Commands that were cut at the same time notice it one after
   * the other, and the later ones must neither forget the next master nor take it for their own.
   */
  async forgetIfGone(master: Master | null): Promise<boolean> {
    if (master === null) return false;
    if (this.#master === master && (await this.#isAlive())) return this.#master !== master;
    if (this.#master === master) this.#master = null;
    return true;
  }

  /** The arguments of an `ssh` that runs a line on the terminal on which it is started. */
  terminalArguments(line: string): readonly string[] {
    return this.#commandArguments(line, "-tt");
  }

  /** A socket in this connection's own directory that leads to a port of the instance, as long as the master lives. */
  async leadTo(
    port: number,
    signal?: AbortSignal,
  ): Promise<{ readonly path: string; readonly end: () => Promise<void> }> {
    const { provider, id } = this.#target;
    if (!this.#isShared) {
      throw refusal("UNSUPPORTED", provider, "forward", "the ssh of Windows cannot forward a port of a session");
    }
    if (await this.forgetIfGone(await this.connect(signal))) await this.connect(signal);
    const path = join(this.#directory, `f${++this.#forwards}`);
    const words = ["-L", `${path}:127.0.0.1:${port}`];
    const made = await this.#control("forward", words);
    if (made.exitCode !== 0) throw refusal("NETWORK", provider, "forward", `ssh cannot forward a port of ${id}`);
    return {
      path,
      end: async () => {
        await this.#control("cancel", words).catch(() => undefined);
        await rm(path, { force: true });
      },
    };
  }

  async close(): Promise<void> {
    if (this.#master !== null) {
      await this.#control("exit").catch(() => undefined);
      this.#master = null;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.#directory, "c");
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    while (this.#running >= MOST_AT_ONCE) {
      const place = Promise.withResolvers<void>();
      this.#waiting.push(place.resolve);
      try {
        await (signal === undefined ? place.promise : orAborted(place.promise, signal));
      } catch (error) {
        const at = this.#waiting.indexOf(place.resolve);
        // Its turn had come: it is the next one's.
        if (at === -1) this.#waiting.shift()?.();
        else this.#waiting.splice(at, 1);
        throw error;
      }
    }
    this.#running += 1;
  }

  async #isAlive(): Promise<boolean> {
    const checked = await this.#control("check").catch(() => null);
    return checked?.exitCode === 0;
  }

  #control(what: "check" | "exit" | "forward" | "cancel", more: readonly string[] = []): Promise<CommandResult> {
    const words = ["-F", "none", "-S", this.#socket, "-O", what, ...more, "--", this.#target.endpoint.host];
    return this.#target.exec("ssh", words, { timeoutMs: CONTROL_TIMEOUT_MS });
  }

  #begin(): Master {
    const begun: Master = { ready: this.#start() };
    // Also where everybody who waited for it has given up.
    begun.ready.catch(() => {
      if (this.#master === begun) this.#master = null;
    });
    return begun;
  }

  async #start(): Promise<void> {
    // A socket that a killed master left is never healed by `ssh` itself.
    await rm(this.#socket, { force: true });
    const log = join(this.#directory, "log");
    await rm(log, { force: true });
    const { endpoint, exec } = this.#target;
    const words = ["-M", "-N", "-f", "-S", this.#socket, "-o", `ControlPersist=${PERSIST_SECONDS}`, "-E", log];
    let exitCode: number | null = null;
    try {
      const started = await exec("ssh", [...this.#connectArguments(), ...words, "--", endpoint.host], {
        timeoutMs: START_TIMEOUT_MS,
      });
      exitCode = started.exitCode;
    } catch (error) {
      throw cannotRun(this.#target, error);
    }
    if (exitCode === 0) return;
    const said = await readFile(log, "utf8").catch(() => "");
    throw cannotConnect(this.#target, said);
  }

  #commandArguments(line: string, terminal = "-T"): readonly string[] {
    const { host } = this.#target.endpoint;
    const instead = `ProxyCommand=/bin/sh -c 'echo ${NO_MASTER} >&2; exit 97'`;
    const shared = ["-S", this.#socket, "-o", "ControlMaster=no", "-o", instead];
    return [...this.#connectArguments(), terminal, ...(this.#isShared ? shared : []), "--", host, line];
  }

  #connectArguments(): readonly string[] {
    const { endpoint, identityFile, hostKeys } = this.#target;
    const settings = {
      BatchMode: "yes",
      IdentitiesOnly: "yes",
      IdentityAgent: "none",
      // Of this session alone: clouds give one address to many machines, one after the other.
      UserKnownHostsFile: join(this.#directory, "known_hosts"),
      GlobalKnownHostsFile: "/dev/null",
      HostKeyAlias: hostAlias(endpoint),
      StrictHostKeyChecking: hostKeys === undefined ? "accept-new" : "yes",
      UpdateHostKeys: "no",
      ConnectTimeout: CONNECT_SECONDS,
      ServerAliveInterval: ALIVE_SECONDS,
      ServerAliveCountMax: 3,
      ForwardAgent: "no",
      ForwardX11: "no",
      PermitLocalCommand: "no",
      LogLevel: "ERROR",
    };
    return [
      ...["-F", "none", "-i", identityFile, "-p", String(endpoint.port), "-l", endpoint.user],
      ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ];
  }
}

/**
 * By what an `ssh` without a master printed: the line was not sent. Where the master ended in the middle of the request it may
 * have been sent.
 */
export function wasNotSent(said: string): boolean {
  return said.includes(NO_MASTER) && !said.includes("read from master failed");
}

function hostAlias({ host, port }: SshEndpoint): string {
  return `slipway-${host.replaceAll(":", "_")}-${port}`;
}

/** The remote names host and user: no version of ssh may read either as an option or as shell text. */
function checkEndpoint({ provider, id, endpoint }: SshTarget): void {
  const { host, user, port } = endpoint;
  const refuse = (what: string): never => {
    throw refusal("INVALID_SPEC", provider, "openSession", `the SSH endpoint of ${id} has no valid ${what}`);
  };
  if (!/^[A-Za-z0-9][A-Za-z0-9.:-]*$/.test(host)) refuse("host");
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(user)) refuse("user");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) refuse("port");
}

function cannotRun({ provider }: SshTarget, cause: unknown): unknown {
  if (!isCommandError(cause)) return cause;
  if (cause.notFound) return refusal("UNSUPPORTED", provider, "exec", "the program ssh is not installed", { cause });
  const code = cause.timedOut ? "TIMEOUT" : "INTERNAL";
  return refusal(code, provider, "exec", `ssh gave no result: ${cause.reason}`, { cause });
}

/** Nothing ran: why ssh could not connect, from its own words. */
export function cannotConnect({ provider, id }: Pick<SshTarget, "provider" | "id">, said: string): Error {
  const words = said.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  const why = words === "" ? "" : `: ${words}`;
  if (/host key verification failed|identification has changed|no matching host key/i.test(said)) {
    return refusal("AUTH_ERROR", provider, "exec", `${id} shows another host key than the known one`, {
      hint: "Another machine may have its address now. Look at the instance before you log in.",
    });
  }
  if (/permission denied|too many authentication failures|no such identity|load key/i.test(said)) {
    return refusal("AUTH_ERROR", provider, "exec", `${id} does not accept the key${why}`);
  }
  return refusal("NETWORK", provider, "exec", `ssh cannot reach ${id}${why}`);
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
