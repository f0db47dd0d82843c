import type { MachineRequest } from "./launch-request.ts";

// What a region holds. Every value is immutable: a change makes another one (see Timeline).

export type Tags = Readonly<Record<string, string>>;

export type InstanceState =
  | "pending"
  | "running"
  | "shutting-down"
  | "terminated"
  | "stopping"
  | "stopped"
  // EC2 has no such state today: what a client makes of one that it does not know.
  | "migrating";

export interface BlockDevice {
  readonly device: string;
  readonly volumeId: string;
  readonly deleteOnTermination: boolean;
  readonly attachedAt: number;
}

export interface Reason {
  readonly code: string;
  readonly message: string;
}

export interface Instance {
  readonly id: string;
  readonly reservationId: string;
  readonly launchedAt: number;
  readonly clientToken: string;
  readonly imageId: string;
  readonly type: string;
  readonly architecture: string;
  readonly zone: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly groupIds: readonly string[];
  readonly interfaceId: string;
  readonly interfaceTags: Tags;
  readonly privateIp: string;
  /** What it gets while it runs, where its subnet or the request wants one. */
  readonly publicIp: string | null;
  readonly rootDeviceName: string;
  readonly devices: readonly BlockDevice[];
  /** Base64, as it was given. */
  readonly userData: string | null;
  readonly keyName: string | null;
  readonly profile: string | null;
  readonly market: "on-demand" | "spot";
  readonly spotRequestId: string | null;
  readonly hibernation: boolean;
  /** What its own shutdown comes to. */
  readonly shutdownBehaviour: "stop" | "terminate";
  readonly metadata: Readonly<Record<string, string | number>>;
  readonly protected: boolean;
  readonly templateId: string | null;
  readonly state: InstanceState;
  readonly reason: Reason | null;
  readonly transition: string;
  readonly tags: Tags;
}

export interface Attachment {
  readonly instanceId: string;
  readonly device: string;
  readonly status: "attaching" | "attached" | "detaching";
  readonly deleteOnTermination: boolean;
  readonly at: number;
}

export interface Volume {
  readonly id: string;
  readonly zone: string;
  readonly sizeGib: number;
  readonly type: string;
  readonly iops: number | null;
  readonly throughput: number | null;
  readonly encrypted: boolean;
  readonly snapshotId: string | null;
  readonly createdAt: number;
  readonly state: "creating" | "available" | "in-use" | "deleting";
  readonly attachment: Attachment | null;
  readonly tags: Tags;
}

export interface Snapshot {
  readonly id: string;
  readonly volumeId: string;
  readonly sizeGib: number;
  readonly encrypted: boolean;
  readonly description: string;
  readonly startedAt: number;
  readonly state: "pending" | "completed" | "error";
  readonly tags: Tags;
}

export interface ImageDevice {
  readonly device: string;
  readonly snapshotId: string;
  readonly sizeGib: number;
  readonly encrypted: boolean;
  readonly deleteOnTermination: boolean;
}

export interface Image {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly architecture: string;
  readonly rootDeviceName: string;
  readonly devices: readonly ImageDevice[];
  readonly ownerId: string;
  readonly isPublic: boolean;
  readonly createdAt: number;
  readonly sourceInstanceId: string | null;
  readonly state: "pending" | "available" | "failed";
  readonly reason: Reason | null;
  readonly tags: Tags;
}

export interface Permission {
  readonly protocol: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly cidrs: readonly string[];
  readonly cidrs6: readonly string[];
  readonly groups: readonly string[];
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  readonly inbound: readonly Permission[];
  readonly outbound: readonly Permission[];
  readonly tags: Tags;
}

export interface LaunchTemplate {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  /** The machine that it stands for. */
  readonly data: MachineRequest;
  readonly tags: Tags;
}

export interface SpotRequest {
  readonly id: string;
  readonly createdAt: number;
  readonly instanceId: string | null;
  readonly type: string;
  readonly zone: string;
  readonly persistent: boolean;
  readonly maxPrice: string;
  readonly state: "open" | "active" | "closed" | "cancelled" | "failed";
  readonly status: Reason;
  readonly tags: Tags;
}

export interface Subnet {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  /** First two bytes and the third: `172.31.16`. */
  readonly prefix: string;
  readonly isDefault: boolean;
  readonly tags: Tags;
}

export interface Vpc {
  readonly id: string;
  readonly cidr: string;
  readonly isDefault: boolean;
  readonly tags: Tags;
}
