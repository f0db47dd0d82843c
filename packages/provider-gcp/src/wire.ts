import type { Schema } from "@slipway/core";
import * as z from "zod/mini";
import type { Listed } from "./listing.ts";

// What Google answers, as little of it as is used. New fields and new words pass. User data comes back in the metadata of
// every read: it is left behind here.

const absent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
const text = z.string();
// 64-bit numbers are strings of digits.
const number = text.check(z.regex(/^[0-9]{1,20}$/));
const lastPart = z.pipe(
  text,
  z.transform((url) => url.slice(url.lastIndexOf("/") + 1)),
);

const KEPT = /^(slipway-|enable-guest-attributes$)/;
const SSH_KEYS = "ssh-keys";

/** The items that this package reads, and of `ssh-keys` only for whom they are. */
const metadata = z.pipe(
  z.object({ items: absent(z.array(z.object({ key: text, value: absent(text) }))) }),
  z.transform(({ items = [] }) => {
    const user = items.find(({ key }) => key === SSH_KEYS)?.value?.split(":")[0];
    return {
      items: Object.fromEntries(items.flatMap(({ key, value }) => (KEPT.test(key) ? [[key, value ?? ""]] : []))),
      ...(user === undefined ? {} : { sshUser: user }),
    };
  }),
);

const instance = z.object({
  id: number,
  name: text.check(z.minLength(1)),
  status: text.check(z.minLength(1)),
  statusMessage: absent(text),
  zone: lastPart,
  machineType: absent(lastPart),
  creationTimestamp: absent(text),
  labels: absent(z.record(text, text)),
  metadata: absent(metadata),
  networkInterfaces: absent(
    z.array(
      z.object({
        networkIP: absent(text),
        accessConfigs: absent(z.array(z.object({ natIP: absent(text) }))),
        ipv6AccessConfigs: absent(z.array(z.object({ externalIpv6: absent(text) }))),
      }),
    ),
  ),
  scheduling: absent(
    z.object({
      provisioningModel: absent(text),
      preemptible: absent(z.boolean()),
      terminationTime: absent(text),
      instanceTerminationAction: absent(text),
    }),
  ),
  guestAccelerators: absent(
    z.array(z.object({ acceleratorType: absent(lastPart), acceleratorCount: absent(z.number()) })),
  ),
  disks: absent(z.array(z.object({ boot: absent(z.boolean()), diskSizeGb: absent(number) }))),
  resourceStatus: absent(
    z.object({
      shutdownDetails: absent(z.object({ targetState: absent(text) })),
      scheduling: absent(z.object({ terminationTimestamp: absent(text) })),
    }),
  ),
});

/** What may be absent. */
type Told<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface WireInstance
  extends Told<{
    statusMessage: string;
    machineType: string;
    creationTimestamp: string;
    labels: Readonly<Record<string, string>>;
    metadata: WireMetadata;
    networkInterfaces: readonly Told<{
      networkIP: string;
      accessConfigs: readonly Told<{ natIP: string }>[];
      ipv6AccessConfigs: readonly Told<{ externalIpv6: string }>[];
    }>[];
    scheduling: Told<{
      provisioningModel: string;
      preemptible: boolean;
      terminationTime: string;
      instanceTerminationAction: string;
    }>;
    guestAccelerators: readonly Told<{ acceleratorType: string; acceleratorCount: number }>[];
    disks: readonly Told<{ boot: boolean; diskSizeGb: string }>[];
    resourceStatus: Told<{
      shutdownDetails: Told<{ targetState: string }>;
      scheduling: Told<{ terminationTimestamp: string }>;
    }>;
  }> {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly zone: string;
}

/** What this package wrote, and for whom SSH keys are set up. */
export interface WireMetadata {
  readonly items: Readonly<Record<string, string>>;
  readonly sshUser?: string | undefined;
}

const disk = z.object({
  id: number,
  name: text.check(z.minLength(1)),
  zone: lastPart,
  sizeGb: number,
  status: text.check(z.minLength(1)),
  labels: absent(z.record(text, text)),
  users: absent(z.array(text)),
  creationTimestamp: absent(text),
});

export interface WireDisk {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly sizeGb: string;
  readonly status: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Paths of the instances that it is attached to. */
  readonly users?: readonly string[] | undefined;
  readonly creationTimestamp?: string | undefined;
}

const image = z.object({
  id: number,
  name: text.check(z.minLength(1)),
  status: text.check(z.minLength(1)),
  description: absent(text),
  labels: absent(z.record(text, text)),
  totalStorageBytes: absent(number),
  creationTimestamp: absent(text),
});

/** A machine image. */
export interface WireImage {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly description?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly totalStorageBytes?: string | undefined;
  readonly creationTimestamp?: string | undefined;
}

const guestAttributes = z.object({
  queryValue: absent(z.object({ items: absent(z.array(z.object({ value: absent(text) }))) })),
});

/** What a guest has written of itself. */
export type WireGuestAttributes = Told<{ queryValue: Told<{ items: readonly Told<{ value: string }>[] }> }>;

const errorDetail = z.object({
  quotaInfo: absent(z.object({ limitName: absent(text), dimensions: absent(z.record(text, text)) })),
});

const operation = z.object({
  name: text.check(z.minLength(1)),
  status: text.check(z.minLength(1)),
  operationType: absent(text),
  targetId: absent(number),
  targetLink: absent(text),
  httpErrorStatusCode: absent(z.number()),
  httpErrorMessage: absent(text),
  error: absent(
    z.object({
      errors: absent(
        z.array(z.object({ code: absent(text), message: absent(text), errorDetails: absent(z.array(errorDetail)) })),
      ),
    }),
  ),
});

export interface WireOperation
  extends Told<{
    operationType: string;
    targetId: string;
    targetLink: string;
    httpErrorStatusCode: number;
    httpErrorMessage: string;
    error: Told<{ errors: readonly WireOperationError[] }>;
  }> {
  readonly name: string;
  readonly status: string;
}

export type WireOperationError = Told<{
  code: string;
  message: string;
  errorDetails: readonly Told<{
    quotaInfo: Told<{ limitName: string; dimensions: Readonly<Record<string, string>> }>;
  }>[];
}>;

const warning = absent(z.object({ code: absent(text), message: absent(text) }));
const unreachables = absent(z.array(text));

const aggregated = { nextPageToken: absent(text), unreachables, warning };
const ofInstances = z.pipe(
  z.object({ instances: absent(z.array(instance)), warning }),
  z.transform(({ instances = [], warning: told }) => ({ found: instances, warning: told })),
);
const ofDisks = z.pipe(
  z.object({ disks: absent(z.array(disk)), warning }),
  z.transform(({ disks = [], warning: told }) => ({ found: disks, warning: told })),
);
const page = <T extends z.ZodMiniType>(item: T) =>
  z.object({ items: absent(z.array(item)), nextPageToken: absent(text), warning });

const zone = z.object({ name: text.check(z.minLength(1)), region: absent(lastPart), status: absent(text) });

export interface WireWarning {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

export interface WirePage<T> {
  readonly items?: readonly T[] | undefined;
  readonly nextPageToken?: string | undefined;
  readonly warning?: WireWarning | undefined;
}

/** By zone, of one kind of thing. */
export interface WireAggregated<T> extends Pick<WirePage<never>, "nextPageToken" | "warning"> {
  readonly items?:
    | Readonly<Record<string, { readonly found: readonly T[]; readonly warning?: WireWarning | undefined }>>
    | undefined;
  readonly unreachables?: readonly string[] | undefined;
}

export interface WireZone {
  readonly name: string;
  readonly region?: string | undefined;
  readonly status?: string | undefined;
}

export const instanceAnswer: Schema<WireInstance> = instance;
export const guestAttributesAnswer: Schema<WireGuestAttributes> = guestAttributes;
export const operationAnswer: Schema<WireOperation> = operation;
export const diskAnswer: Schema<WireDisk> = disk;
export const imageAnswer: Schema<WireImage> = image;
export const imagesAnswer: Schema<WirePage<WireImage>> = page(image);
export const operationsAnswer: Schema<WirePage<WireOperation>> = page(operation);
export const zonesAnswer: Schema<WirePage<WireZone>> = page(zone);
export const INSTANCES: Listed<WireInstance> = {
  kind: "instances",
  everywhere: z.object({ items: absent(z.record(text, ofInstances)), ...aggregated }),
  inZone: page(instance),
};
export const DISKS: Listed<WireDisk> = {
  kind: "disks",
  everywhere: z.object({ items: absent(z.record(text, ofDisks)), ...aggregated }),
  inZone: page(disk),
};
