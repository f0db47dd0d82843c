import { gunzipSync } from "node:zlib";
import type { Instance, Tags } from "./things.ts";

/** An instance as the emulator itself holds it, at once and without lag. */
export interface EmulatedInstance {
  /** `us-east-1/i-…`. */
  readonly nativeId: string;
  readonly id: string;
  readonly region: string;
  readonly owner: string | null;
  readonly key: string | null;
  /** Neither shutting down nor ended. */
  readonly live: boolean;
  readonly status: string;
  readonly spec: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly groupIds: readonly string[];
  readonly lifecycle: "on-demand" | "spot";
  readonly spotRequestId: string | null;
  readonly imageId: string;
  readonly clientToken: string;
  readonly metadata: Readonly<Record<string, string | number>>;
  /** As the machine gets it. */
  readonly userData: string | undefined;
  readonly tags: Tags;
}

export function inspected(region: string, one: Instance): EmulatedInstance {
  return {
    nativeId: `${region}/${one.id}`,
    id: one.id,
    region,
    // By the tags on the wire, not through the provider's own reading of them.
    owner: one.tags["slipway:owner"] ?? null,
    key: one.tags["slipway:key"] ?? null,
    live: one.state !== "terminated" && one.state !== "shutting-down",
    status: one.state,
    spec: one.type,
    zone: one.zone,
    subnetId: one.subnetId,
    groupIds: one.groupIds,
    lifecycle: one.market,
    spotRequestId: one.spotRequestId,
    imageId: one.imageId,
    clientToken: one.clientToken,
    metadata: one.metadata,
    userData: one.userData === null ? undefined : userDataText(one.userData),
    tags: one.tags,
  };
}

function userDataText(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? gunzipSync(bytes) : bytes).toString();
}
