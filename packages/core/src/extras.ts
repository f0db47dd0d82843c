import type { Capability } from "./capability.ts";
import { type BootstrapState, bootstrapStateShape, type InstanceResources } from "./instance.ts";
import type { CallOptions } from "./options.ts";
import type { Price } from "./price.ts";
import type { SpawnOptions } from "./provider.ts";
import type { AnswerOf } from "./shape.ts";

/** How a command inside the instance ended. A non-zero exit is a result. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions extends CallOptions {
  readonly stdin?: string | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** Beyond the contract: providers that can run a command inside an instance without ssh. */
export interface ExecMethods {
  /** Runs a program with an argument list, never through a shell. NOT_FOUND or INVALID_STATE if the instance cannot. */
  readonly exec: (id: string, argv: readonly string[], options?: ExecOptions) => Promise<ExecResult>;
}

/** A program of this machine, to be run on the terminal of whoever starts it. */
export interface TerminalCommand {
  readonly file: string;
  readonly args: readonly string[];
}

/** Beyond the contract: providers that can put a program inside an instance on a terminal without ssh. */
export interface TerminalMethods {
  /**
   * A command that runs a program inside, on the terminal on which it is itself started; its exit code is the program's.
   * Starts nothing. NOT_FOUND or INVALID_STATE if the instance cannot, UNSUPPORTED where this machine lacks the means.
   */
  readonly terminalCommand: (id: string, argv: readonly string[], call?: CallOptions) => Promise<TerminalCommand>;
}

export interface LogOptions {
  readonly signal?: AbortSignal | undefined;
  /** Go on with what is yet to come, until the instance ends or the signal aborts. */
  readonly follow?: boolean | undefined;
}

/** Beyond the contract: providers that can show what the bootstrap and the console printed. */
export interface LogMethods {
  /** Yields whole lines without their newline. */
  readonly logs: (id: string, options?: LogOptions) => AsyncIterable<string>;
}

/** What the provider knows of an instance's bootstrap. */
export interface BootstrapTruth extends BootstrapState {
  /** What the bootstrap printed last, oldest first, without control characters. It is the instance's word: data, no proof. */
  readonly lastLines?: readonly string[];
}

export const bootstrapTruthShape: AnswerOf<BootstrapTruth> = { ...bootstrapStateShape, "lastLines?": ["text"] };

/** Beyond the contract: providers whose remote knows how a bootstrap went. */
export interface BootstrapMethods {
  /** Null: it was spawned without a bootstrap, or nothing can be read now. NOT_FOUND if there is no such instance. */
  readonly readBootstrap: (id: string, call?: CallOptions) => Promise<BootstrapTruth | null>;
}

/** A machine type that the remote sells, as of now. */
export interface Offering {
  /** As `spawn({ spec })` takes it. */
  readonly spec: string;
  readonly resources?: InstanceResources;
  /** On demand; absent where the remote tells none. */
  readonly price?: Price;
  /** The configured regions that show capacity, in their order; empty: sold out. Absent: the remote does not tell. */
  readonly regions?: readonly string[];
}

/** Beyond the contract: providers that can tell what there is to buy. */
export interface OfferingMethods {
  /** All machine types that a spawn could name, cheapest first. Complete, or it throws. */
  readonly listOfferings: (call?: CallOptions) => Promise<readonly Offering[]>;
}

/** Beyond the contract: providers that can say where a spawn could go. */
export interface PlacementMethods {
  /**
   * Best first, each the options that a placement decides. Hand them to control's `launch`, which tries the next one
   * after a failure that made nothing. Empty: no place shows capacity. It is no reservation.
   */
  readonly placements: (options: SpawnOptions<Capability>) => Promise<readonly Partial<SpawnOptions<Capability>>[]>;
}

/**
 * Can programs be run inside its instances? In the true branch `exec` is there.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * async function uname(provider: Provider, id: string): Promise<string | undefined> {
 *   if (!canExec(provider)) return undefined;
 *   return (await provider.exec(id, ["uname", "-a"])).stdout;
 * }
 * ```
 */
export function canExec<P extends object>(provider: P): provider is P & ExecMethods {
  return "exec" in provider && typeof provider.exec === "function";
}

/**
 * Can a program inside its instances have a terminal? In the true branch `terminalCommand` is there.
 *
 * @example
 * ```ts
 * import { spawnSync } from "node:child_process";
 * import type { Provider } from "@slipway/core";
 *
 * async function openShell(provider: Provider, id: string): Promise<number | null> {
 *   if (!canOpenTerminal(provider)) throw new Error(`${provider.name} has no terminals`);
 *   const { file, args } = await provider.terminalCommand(id, ["sh"]);
 *   return spawnSync(file, args, { stdio: "inherit" }).status;
 * }
 * ```
 */
export function canOpenTerminal<P extends object>(provider: P): provider is P & TerminalMethods {
  return "terminalCommand" in provider && typeof provider.terminalCommand === "function";
}

/**
 * Can the lines that an instance prints be read? In the true branch `logs` is there.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * async function showLog(provider: Provider, id: string): Promise<void> {
 *   if (!canLog(provider)) throw new Error(`${provider.name} keeps no log`);
 *   for await (const line of provider.logs(id)) console.log(line);
 * }
 * ```
 */
export function canLog<P extends object>(provider: P): provider is P & LogMethods {
  return "logs" in provider && typeof provider.logs === "function";
}

/**
 * Does its remote know how a bootstrap went? In the true branch `readBootstrap` is there.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * async function isReady(provider: Provider, id: string): Promise<boolean> {
 *   if (!canReadBootstrap(provider)) return false;
 *   return (await provider.readBootstrap(id))?.state === "succeeded";
 * }
 * ```
 */
export function canReadBootstrap<P extends object>(provider: P): provider is P & BootstrapMethods {
  return "readBootstrap" in provider && typeof provider.readBootstrap === "function";
}

/**
 * Can it list what the remote sells? In the true branch `listOfferings` is there.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * async function specsOf(provider: Provider): Promise<readonly string[]> {
 *   return canListOfferings(provider) ? (await provider.listOfferings()).map(({ spec }) => spec) : [];
 * }
 * ```
 */
export function canListOfferings<P extends object>(provider: P): provider is P & OfferingMethods {
  return "listOfferings" in provider && typeof provider.listOfferings === "function";
}

/**
 * Can it say where a spawn could go? In the true branch `placements` is there.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * async function hasCapacity(provider: Provider): Promise<boolean | "not known"> {
 *   return canPlace(provider) ? (await provider.placements({ spec: "gpu_1x_a10" })).length > 0 : "not known";
 * }
 * ```
 */
export function canPlace<P extends object>(provider: P): provider is P & PlacementMethods {
  return "placements" in provider && typeof provider.placements === "function";
}

/** One thing that a provider made for its own use, as a security group, and that nothing uses any more. */
export interface CleanupItem {
  /** As the remote calls it: `security-group`, `launch-template`. */
  readonly kind: string;
  /** Enough to address it, as every id of the provider. */
  readonly id: string;
  readonly region?: string;
  /** Of a key for log-ins: the public key, by which whoever made it for one instance knows it again. */
  readonly sshKey?: string;
  /** Why it can go, in one sentence. */
  readonly reason: string;
}

/** Beyond the contract: what instances, volumes and snapshots leave behind that no key stands for. It costs little, and adds up. */
export interface CleanupMethods {
  /** Launches add keys to the account, so that `planCleanup` may answer with an `sshKey`. Absent: it need not be asked for one. */
  readonly addsSshKeys?: true;
  /** What could go now, of this owner's alone; nothing is changed. Complete, or it throws. */
  readonly planCleanup: (call?: CallOptions) => Promise<readonly CleanupItem[]>;
  /** Deletes one. `in-use`: something took it up meanwhile, and it stays. One that is gone already is `removed`. */
  readonly removeLeftover: (item: CleanupItem, call?: CallOptions) => Promise<"removed" | "in-use">;
}
