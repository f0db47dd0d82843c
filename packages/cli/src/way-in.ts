import type { BootstrapSource } from "@slipway/control";
import { canExec, isProviderError, type Provider, ProviderError } from "@slipway/core";
import type { Session as Inside } from "@slipway/reach";
import { checkReadable, inputPath } from "./files.ts";
import type { Session } from "./session.ts";

/** Opens a session to an instance at its first use, and keeps it. */
export class WayIn {
  readonly #session: Session;
  readonly #provider: Provider;
  readonly #id: string;
  readonly #identityFile: string | undefined;
  #open: Promise<Inside> | undefined;

  constructor(session: Session, provider: Provider, id: string, identityFile: string | undefined) {
    this.#session = session;
    this.#provider = provider;
    this.#id = id;
    this.#identityFile = identityFile;
  }

  /** Whether there is one: the provider's exec, or a key. */
  get exists(): boolean {
    return canExec(this.#provider) || this.#identityFile !== undefined;
  }

  async open(): Promise<Inside> {
    this.#open ??= import("@slipway/reach").then(({ openSession }) =>
      // Where the provider has exec, no key is read.
      openSession(this.#provider, this.#id, { ...this.#session.call, identityFile: this.#identityFile ?? "" }),
    );
    const opening = this.#open;
    opening.catch(() => {
      if (this.#open === opening) this.#open = undefined;
    });
    return await opening;
  }

  async close(): Promise<void> {
    const inside = await this.#open?.catch(() => undefined);
    await inside?.[Symbol.asyncDispose]();
  }
}

// Some clouds let a key in only after sshd is up.
const KEY_GRACE_MS = 60_000;

/** What the bootstrap wrote on the instance, read there. Whoever has another source goes on without a key that is refused. */
export function bootstrapInside(session: Session, provider: Provider, way: WayIn): BootstrapSource {
  let refusedSince: number | null = null;
  return {
    name: "the session",
    readBootstrap: async (id, call) => {
      try {
        const inside = await way.open();
        const { sessionBootstrap } = await import("@slipway/reach");
        return await sessionBootstrap(inside).readBootstrap(id, call);
      } catch (error) {
        if (!isProviderError(error, "AUTH_ERROR") || canExec(provider)) throw error;
        const now = session.world.clock.now();
        refusedSince ??= now;
        if (now - refusedSince >= KEY_GRACE_MS) return null;
        throw new ProviderError("UNAVAILABLE", {
          message: `${id} does not accept the key yet`,
          provider: provider.name,
          operation: "waitForBootstrap",
          effect: "none",
          cause: error,
        });
      }
    },
  };
}

/** The private key that the user named, or that stands beside a public one of theirs. */
export async function identityFor(
  session: Session,
  { identity, sshKey = [] }: { readonly identity?: string; readonly sshKey?: readonly string[] },
): Promise<string | undefined> {
  if (identity !== undefined) {
    const path = inputPath(session.world, identity);
    await checkReadable(path, "the private key");
    return path;
  }
  for (const named of sshKey) {
    if (!named.endsWith(".pub") || /\s/.test(named)) continue;
    const path = inputPath(session.world, named.slice(0, -".pub".length));
    const isThere = await checkReadable(path, "the private key").then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
