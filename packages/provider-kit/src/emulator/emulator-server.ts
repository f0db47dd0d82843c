import type { NodeHttpServer } from "./node-http-adapter.ts";

/** An emulator that other processes reach. What `serve` of a provider's `./emulator` answers. */
export interface EmulatorServer extends Pick<NodeHttpServer, "port" | "close"> {
  /** What the provider takes as `baseUrl`. */
  readonly baseUrl: string;
  /** The environment in which the provider's `register` finds the emulator, and is let in. */
  readonly variables: Readonly<Record<string, string>>;
}
