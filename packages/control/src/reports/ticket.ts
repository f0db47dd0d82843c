import type { webcrypto } from "node:crypto";
import type { LaunchIdentity } from "../store/record.ts";

/** Which launch a machine may report for. */
export interface Ticket {
  readonly identity: LaunchIdentity;
  /** As `LaunchRecord.reports`: an earlier machine under the same key has another. */
  readonly launch: string;
  /** Milliseconds since the epoch, on the clock of the control plane alone. */
  readonly until: number;
}

const FORM = /^1\.([\w-]{1,1500})\.([\w-]{43})$/;
const SHORTEST_SECRET = 32;

/** What makes tickets and knows its own again: nothing is stored. */
export interface Seal {
  /** A token for one ticket. */
  readonly sign: (ticket: Ticket) => Promise<string>;
  /** The ticket of a token that one of the secrets has signed; null for all else. Compares in constant time. */
  readonly open: (token: string) => Promise<Ticket | null>;
}

/** The first secret signs, and all of them are known again, so that a secret can be changed while machines run. */
export function sealOf(secret: string | readonly string[]): Seal {
  const secrets = typeof secret === "string" ? [secret] : secret;
  if (secrets.length === 0 || secrets.some((one) => one.length < SHORTEST_SECRET)) {
    throw new TypeError(`bootstrapReports needs a secret of at least ${SHORTEST_SECRET} characters`);
  }
  const keys = secrets.map((one) => once(() => keyOf(one)));
  return {
    sign: async ({ identity: { provider, account, owner, key }, launch, until }) => {
      const text = JSON.stringify([provider, account, owner, key, launch, until]);
      const signed = `1.${Buffer.from(text, "utf8").toString("base64url")}`;
      const [first] = keys;
      if (first === undefined) throw new TypeError("bootstrapReports has no secret");
      const mac = await crypto.subtle.sign("HMAC", await first(), bytesOf(signed));
      return `${signed}.${Buffer.from(mac).toString("base64url")}`;
    },
    open: async (token) => {
      const [, payload, mac] = FORM.exec(token) ?? [];
      if (payload === undefined || mac === undefined) return null;
      const given = new Uint8Array(Buffer.from(mac, "base64url"));
      for (const key of keys) {
        // Its comparison takes the same time wherever the two differ.
        const isOurs = await crypto.subtle.verify("HMAC", await key(), given, bytesOf(`1.${payload}`));
        if (isOurs) return ticketOf(Buffer.from(payload, "base64url").toString("utf8"));
      }
      return null;
    },
  };
}

function ticketOf(text: string): Ticket | null {
  // It was signed by us, and so is what `sign` has written.
  const [provider, account, owner, key, launch, until]: unknown[] = JSON.parse(text);
  if (typeof provider !== "string" || typeof account !== "string" || typeof owner !== "string") return null;
  if (typeof key !== "string" || typeof launch !== "string" || typeof until !== "number") return null;
  return { identity: { provider, account, owner, key }, launch, until };
}

async function keyOf(secret: string): Promise<webcrypto.CryptoKey> {
  return await crypto.subtle.importKey("raw", bytesOf(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
