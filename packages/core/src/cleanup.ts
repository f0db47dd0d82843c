import type { CallOptions } from "./options.ts";

/** One thing that a provider made for its own use, as a security group, and that nothing uses any more. */
export interface CleanupItem {
  /** As the remote calls it: `security-group`, `launch-template`. */
  readonly kind: string;
  /** Enough to address it, as every id of the provider. */
  readonly id: string;
  readonly region?: string;
  /** Of a key for log-ins: the public key, by which whoever made it for one instance knows it again. */
  readonly sshKey?: string;
  /** Why it can go, in one sentence. */
  readonly reason: string;
}

/** Beyond the contract: what instances, volumes and snapshots leave behind that no key stands for. It costs little, and adds up. */
export interface CleanupMethods {
  /** Launches add keys to the account, so that `planCleanup` may answer with an `sshKey`. Absent: it need not be asked for one. */
  readonly addsSshKeys?: true;
  /** What could go now, of this owner's alone; nothing is changed. Complete, or it throws. */
  readonly planCleanup: (call?: CallOptions) => Promise<readonly CleanupItem[]>;
  /** Deletes one. `in-use`: something took it up meanwhile, and it stays. One that is gone already is `removed`. */
  readonly removeLeftover: (item: CleanupItem, call?: CallOptions) => Promise<"removed" | "in-use">;
}
