import type { CallOptions } from "./options.ts";
import type { AnswerOf } from "./shape.ts";

/** A disk that outlives instances. It costs money, so it carries owner and key. */
export interface Volume {
  readonly id: string;
  readonly provider: string;
  readonly status: "pending" | "available" | "attached" | "deleting" | "error" | "unknown";
  readonly key: string | null;
  readonly owner: string | null;
  readonly sizeBytes: number;
  readonly region?: string;
  readonly zone?: string;
  /** The instance that it is attached to, or null. */
  readonly attachedTo: string | null;
  /** The warm pool that it belongs to, if it does. */
  readonly pool?: string;
  readonly createdAt: string | null;
}

/** A volume and the absolute path where the instance finds it. */
export interface VolumeMount {
  readonly id: string;
  readonly mountPath: string;
}

export interface CreateVolumeOptions extends CallOptions {
  /** The same key and size give the same volume; another size is CONFLICT. */
  readonly key: string;
  readonly sizeBytes: number;
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
}

export interface VolumeFilter {
  readonly ids?: readonly string[] | undefined;
  readonly keys?: readonly string[] | undefined;
  /** One owner, or `"*"`. This provider's owner if absent. */
  readonly owner?: string | undefined;
}

/** Unlocked by `persistentVolumes`. */
export interface VolumeMethods {
  readonly createVolume: (options: CreateVolumeOptions) => Promise<Volume>;
  /** Complete, or it throws. */
  readonly listVolumes: (filter?: VolumeFilter, call?: CallOptions) => Promise<readonly Volume[]>;
  /** Idempotent: a volume that is gone or unknown resolves. An attached one is INVALID_STATE and stays as it is. */
  readonly deleteVolume: (id: string, call?: CallOptions) => Promise<void>;
}

export const volumeShape: AnswerOf<Volume> = {
  id: "id",
  provider: "id",
  status: { oneOf: { pending: true, available: true, attached: true, deleting: true, error: true, unknown: true } },
  key: "text or null",
  owner: "text or null",
  sizeBytes: "above0",
  "region?": "text",
  "zone?": "text",
  attachedTo: "text or null",
  "pool?": "text",
  createdAt: "time or null",
};

export interface WarmVolumeOptions extends CallOptions {
  readonly key: string;
  /** Volumes of one pool are interchangeable. */
  readonly pool: string;
  readonly sizeBytes: number;
  readonly zone: string;
}

export interface ClaimWarmVolumeOptions extends CallOptions {
  readonly pool: string;
  /** The running instance that gets the volume; the zone is the instance's. */
  readonly instanceId: string;
}

/** Unlocked by `warmVolumes`. */
export interface WarmVolumeMethods {
  /** Makes a volume ready to be claimed; the same key answers the same volume. */
  readonly warmVolume: (options: WarmVolumeOptions) => Promise<Volume>;
  /** Attaches one free volume of the pool. Two claims never get the same one; null if none is free: the caller goes on cold. */
  readonly claimWarmVolume: (options: ClaimWarmVolumeOptions) => Promise<Volume | null>;
  /** Detaches it and gives it back to its pool. Idempotent. */
  readonly releaseWarmVolume: (volumeId: string, call?: CallOptions) => Promise<void>;
}
