import type { Clock } from "@slipway/core";
import type { EmulatorServer } from "./emulator-server.ts";
import type { HttpEmulator } from "./http-emulator.ts";
import type { Machines, MachinesKind } from "./machines.ts";
import { nodeHttpAdapter } from "./node-http-adapter.ts";
import { scaledClock } from "./scaled-clock.ts";

/** What every emulator takes that is served to other processes. */
export interface ServeOptionsBase {
  /** Any free one if absent. */
  readonly port?: number | undefined;
  /** Time passes so many times as fast as the real one: booting, lag and rate limits with it. 1 if absent. */
  readonly speed?: number | undefined;
  /** What stands behind its instances; nothing if absent, and they show an address where nothing answers. */
  readonly machines?: MachinesKind | undefined;
}

/** What an emulator that is served is made of. */
export interface ServedParts {
  readonly clock: Clock;
  readonly machines: Machines | null | undefined;
  /** Of the server itself, once it listens. */
  readonly port: () => number;
}

/**
 * An emulated API as a server on the loopback, with machines behind it where they are asked for.
 *
 * @example
 * ```ts
 * const server = await serveEmulator(options, (parts) => acmeEmulator(parts), (url) => ({
 *   baseUrl: `${url}/v1/`,
 *   variables: { ACME_BASE_URL: `${url}/v1/` },
 * }));
 * await server.close();
 * ```
 */
export async function serveEmulator<E extends Pick<HttpEmulator, "handle">>(
  { port, speed = 1, machines: kind }: ServeOptionsBase,
  make: (parts: ServedParts) => E,
  reachedAt: (url: string) => Pick<EmulatorServer, "baseUrl" | "variables">,
): Promise<EmulatorServer & { readonly emulator: E }> {
  // Loaded where it is needed: most who use an emulator serve nothing.
  const { withMachines } = await import("./machines.ts");
  return await withMachines(kind, async (machines) => {
    const emulator = make({ machines, clock: scaledClock(speed), port: () => server.port });
    const server = await nodeHttpAdapter(emulator.handle, { port });
    return { ...reachedAt(server.url), port: server.port, emulator, close: server.close };
  });
}
