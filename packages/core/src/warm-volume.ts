import type { CallOptions } from "./options.ts";
import type { Volume } from "./volume.ts";

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
