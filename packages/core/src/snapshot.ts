import type { CallOptions } from "./options.ts";
import type { AnswerOf } from "./shape.ts";

export type SnapshotStatus = "pending" | "available" | "failed";

/** A copy of an instance from which `spawn({ fromSnapshot })` makes another. It costs money too, so it carries owner and key. */
export interface Snapshot {
  readonly id: string;
  readonly provider: string;
  readonly status: SnapshotStatus;
  readonly key: string | null;
  readonly owner: string | null;
  readonly name?: string;
  /** The instance that it was taken from; null if the remote no longer tells. */
  readonly instanceId: string | null;
  readonly region?: string;
  readonly sizeBytes?: number;
  readonly createdAt: string | null;
}

export interface CreateSnapshotOptions extends CallOptions {
  /** 1 to 128 printable ASCII characters: the same key and instance give the same snapshot. */
  readonly key: string;
  readonly name?: string | undefined;
}

export interface SnapshotFilter {
  readonly instanceId?: string | undefined;
  /** One owner, or `"*"` for everything that bears Slipway's tag. This provider's owner if absent. */
  readonly owner?: string | undefined;
}

/** Unlocked by `snapshots`. */
export interface SnapshotMethods<TSnapshot extends Snapshot> {
  /**
   * Takes a snapshot; resolves when the remote accepted it, `status` may be `pending`. A repeated key answers the
   * snapshot that it made. The caller asks `getSnapshotStatus` until it is `available` or `failed`.
   */
  readonly createSnapshot: (instanceId: string, options: CreateSnapshotOptions) => Promise<TSnapshot>;
  /** Null only if the remote says that there is no such snapshot. */
  readonly getSnapshotStatus: (id: string, call?: CallOptions) => Promise<SnapshotStatus | null>;
  /** Idempotent: an id that is gone or unknown resolves. It removes all that the snapshot costs. */
  readonly deleteSnapshot: (id: string, call?: CallOptions) => Promise<void>;
  /** Complete, or it throws. */
  readonly listSnapshots: (filter?: SnapshotFilter, call?: CallOptions) => Promise<readonly TSnapshot[]>;
}

export const snapshotShape: AnswerOf<Snapshot> = {
  id: "id",
  provider: "id",
  status: { oneOf: { pending: true, available: true, failed: true } },
  key: "text or null",
  owner: "text or null",
  "name?": "text",
  instanceId: "text or null",
  "region?": "text",
  "sizeBytes?": "atLeast0",
  createdAt: "time or null",
};
