import type { Isolation, ProcessIdentity, SandboxNetwork } from "@slipway/provider-kit/sandbox";
import * as z from "zod/mini";

/** What every record says, whatever it is of. */
export interface Owned {
  /** The format of the file. */
  readonly version: 1;
  readonly id: string;
  readonly owner: string;
  readonly key: string;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
}

/**
 * What is known of an instance beyond its processes. Written before anything is started, completed after. What is not
 * complete is on its way while its name is locked, and was cut off otherwise.
 */
export interface InstanceRecord extends Owned {
  readonly specHash: string;
  readonly displayName?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly expiresAt?: string | undefined;
  readonly terminateBy?: string | undefined;
  readonly network: SandboxNetwork;
  readonly isolation: Isolation;
  readonly volumes: readonly { readonly id: string; readonly mountPath: string }[];
  /** Is a bootstrap to be run, and what must not be shown of what it prints. */
  readonly bootstrap?: { readonly checksum: string; readonly secrets: readonly SecretDigest[] } | undefined;
  /** The process whose end is the instance's end; null until it has begun. */
  readonly process: ProcessIdentity | null;
}

export interface SnapshotRecord extends Owned {
  readonly displayName?: string | undefined;
  readonly instanceId: string;
  readonly status: "pending" | "available";
}

export interface VolumeRecord extends Owned {
  readonly sizeBytes: number;
}

const identity = z.object({
  pid: z.int().check(z.positive()),
  startTime: z.string(),
  bootId: z.string(),
  namespace: z.string(),
});
const ownership = {
  version: z.literal(1),
  id: z.string().check(z.minLength(1)),
  owner: z.string().check(z.minLength(1)),
  key: z.string().check(z.minLength(1)),
  createdAt: z.string(),
};
const digest = z.object({ length: z.int(), sha256: z.string() });

export const instanceRecord: z.ZodMiniType<InstanceRecord> = z.object({
  ...ownership,
  specHash: z.string(),
  displayName: z.optional(z.string()),
  labels: z.record(z.string(), z.string()),
  expiresAt: z.optional(z.string()),
  terminateBy: z.optional(z.string()),
  network: z.enum(["shared", "isolated"]),
  isolation: z.enum(["bubblewrap", "process-group"]),
  volumes: z.array(z.object({ id: z.string(), mountPath: z.string() })),
  bootstrap: z.optional(z.object({ checksum: z.string(), secrets: z.array(digest) })),
  process: z.nullable(identity),
});

export const snapshotRecord: z.ZodMiniType<SnapshotRecord> = z.object({
  ...ownership,
  displayName: z.optional(z.string()),
  instanceId: z.string(),
  status: z.enum(["pending", "available"]),
});

export const volumeRecord: z.ZodMiniType<VolumeRecord> = z.object({
  ...ownership,
  sizeBytes: z.int().check(z.positive()),
});

/** Enough to recognise a secret in a text, and nothing to read it from. */
export interface SecretDigest {
  readonly length: number;
  readonly sha256: string;
}

export function digestOf(secret: string): SecretDigest {
  return { length: secret.length, sha256: hash(secret) };
}

/** The text with every recognised secret replaced. */
export function withoutSecrets(text: string, secrets: readonly SecretDigest[]): string {
  let clean = text;
  for (const secret of secrets) clean = without(clean, secret);
  return clean;
}

function without(text: string, { length, sha256 }: SecretDigest): string {
  if (length === 0) return text;
  let clean = "";
  let at = 0;
  while (at < text.length) {
    const found = at + length <= text.length && hash(text.slice(at, at + length)) === sha256;
    clean += found ? "[redacted]" : text.charAt(at);
    at += found ? length : 1;
  }
  return clean;
}

function hash(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text, "utf8").digest("hex");
}
