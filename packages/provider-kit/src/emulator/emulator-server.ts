import type { NodeHttpServer } from "./node-http-adapter.ts";

/** An emulator that other processes reach. What `serve` of a provider's `./emulator` answers. */
export interface EmulatorServer extends Pick<NodeHttpServer, "port" | "close"> {
  /** What the provider takes as `baseUrl`. */
  readonly baseUrl: string;
  /** The environment in which the provider's `register` finds the emulator, and is let in. */
  readonly variables: Readonly<Record<string, string>>;
  /** What stands behind its instances, in words; absent where the caller has not asked for machines. */
  readonly machines?: string | undefined;
}

/** An emulator of a program, for other processes of this machine. What `serve` answers where the remote is a command. */
export interface EmulatorProgram {
  /** Its path: what the provider takes as `executable`. */
  readonly program: string;
  /** The environment in which the provider's `register` finds it. */
  readonly variables: Readonly<Record<string, string>>;
  /** Ends everything that it began, and removes it. */
  readonly close: () => Promise<void>;
}
