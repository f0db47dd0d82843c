import type { HttpAnswer } from "@slipway/provider-kit/emulator";
import type { World } from "./world.ts";

/** A request as the router hands it on. */
export interface WireRequest {
  readonly zone: string;
  readonly region: string;
  /** Of the instance or operation; a number too. */
  readonly name: string;
  readonly body: unknown;
  readonly query: URLSearchParams;
  /** The moment whose state an aggregated list sees. */
  readonly seenAt: number;
  /** Does the request ask for a version of the API? */
  readonly isVersioned: boolean;
  /** The zones that an aggregated list goes through. */
  readonly scopes: readonly string[];
  /** A row of the error table that shall show in the operation. */
  readonly rowOfOperation: string | undefined;
  readonly signal: AbortSignal;
}

export type Handler = (world: World, request: WireRequest) => HttpAnswer | Promise<HttpAnswer>;
