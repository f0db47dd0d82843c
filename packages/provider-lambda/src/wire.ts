import type { Schema } from "@slipway/core";
import * as z from "zod/mini";

// What Lambda answers, as little of it as is used. New fields and new words pass; null counts as absent, as older
// versions of the API wrote it. Credentials that instances carry (the Jupyter token) are left behind here.

const absent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
const text = z.string();
const amount = z.number().check(z.nonnegative());

/** Every success stands in an envelope. */
function data<T>(schema: z.ZodMiniType<T>): z.ZodMiniType<T> {
  return z.pipe(
    z.object({ data: schema }),
    z.transform((body) => body.data),
  );
}

const region = z.object({ name: text.check(z.minLength(1)), description: absent(text) });

const specs = z.object({
  vcpus: absent(amount),
  memory_gib: absent(amount),
  storage_gib: absent(amount),
  gpus: absent(amount),
});

const instanceType = z.object({
  name: text.check(z.minLength(1)),
  gpu_description: absent(text),
  price_cents_per_hour: absent(amount),
  specs: absent(specs),
});

const instance = z.object({
  id: text.check(z.regex(/^[A-Za-z0-9-]{1,64}$/)),
  status: text.check(z.minLength(1)),
  name: absent(text),
  ip: absent(text),
  private_ip: absent(text),
  hostname: absent(text),
  region: absent(region),
  instance_type: absent(instanceType),
  ssh_key_names: absent(z.array(text)),
  file_system_names: absent(z.array(text)),
  file_system_mounts: absent(z.array(z.object({ mount_point: text, file_system_id: text }))),
  tags: absent(z.array(z.object({ key: text, value: text }))),
  image: absent(z.object({ id: absent(text), family: absent(text) })),
});

const sshKey = z.object({ id: text.check(z.minLength(1)), name: text, public_key: text });

const fileSystem = z.object({
  id: text.check(z.minLength(1)),
  name: text.check(z.minLength(1)),
  mount_point: absent(text),
  created: absent(text),
  is_in_use: absent(z.boolean()),
  bytes_used: absent(z.number()),
  region: absent(region),
});

const offering = z.object({ instance_type: instanceType, regions_with_capacity_available: z.array(region) });

export interface WireRegion {
  readonly name: string;
  readonly description?: string | undefined;
}

export interface WireInstanceType {
  readonly name: string;
  readonly gpu_description?: string | undefined;
  readonly price_cents_per_hour?: number | undefined;
  readonly specs?:
    | {
        readonly vcpus?: number | undefined;
        readonly memory_gib?: number | undefined;
        readonly storage_gib?: number | undefined;
        readonly gpus?: number | undefined;
      }
    | undefined;
}

export interface WireTag {
  readonly key: string;
  readonly value: string;
}

export interface WireMount {
  readonly mount_point: string;
  readonly file_system_id: string;
}

export interface WireInstance {
  readonly id: string;
  readonly status: string;
  readonly name?: string | undefined;
  readonly ip?: string | undefined;
  readonly private_ip?: string | undefined;
  readonly hostname?: string | undefined;
  readonly region?: WireRegion | undefined;
  readonly instance_type?: WireInstanceType | undefined;
  readonly ssh_key_names?: readonly string[] | undefined;
  readonly file_system_names?: readonly string[] | undefined;
  readonly file_system_mounts?: readonly WireMount[] | undefined;
  readonly tags?: readonly WireTag[] | undefined;
  readonly image?: { readonly id?: string | undefined; readonly family?: string | undefined } | undefined;
}

export interface WireOffering {
  readonly instance_type: WireInstanceType;
  readonly regions_with_capacity_available: readonly WireRegion[];
}

export interface WireSshKey {
  readonly id: string;
  readonly name: string;
  readonly public_key: string;
}

export interface WireFileSystem {
  readonly id: string;
  readonly name: string;
  readonly mount_point?: string | undefined;
  readonly created?: string | undefined;
  readonly is_in_use?: boolean | undefined;
  readonly bytes_used?: number | undefined;
  readonly region?: WireRegion | undefined;
}

/** What a launch asks for; the provider's request on the wire. */
export interface LaunchBody {
  readonly region_name: string;
  readonly instance_type_name: string;
  readonly ssh_key_names: readonly [string];
  readonly name: string;
  readonly tags: readonly WireTag[];
  readonly user_data?: string;
  readonly image?: { readonly id: string } | { readonly family: string };
  readonly file_system_names?: readonly string[];
  readonly file_system_mounts?: readonly WireMount[];
}

export const instancesAnswer: Schema<readonly WireInstance[]> = data(z.array(instance));
export const instanceAnswer: Schema<WireInstance> = data(instance);
export const offeringsAnswer: Schema<Readonly<Record<string, WireOffering>>> = data(z.record(text, offering));
export const sshKeysAnswer: Schema<readonly WireSshKey[]> = data(z.array(sshKey));
export const sshKeyAnswer: Schema<WireSshKey> = data(sshKey);
export const fileSystemsAnswer: Schema<readonly WireFileSystem[]> = data(z.array(fileSystem));
export const fileSystemAnswer: Schema<WireFileSystem> = data(fileSystem);
/** One instance for each launch, so exactly one id. */
export const launchAnswer: Schema<string> = data(
  z.pipe(
    z.object({
      instance_ids: z.pipe(
        z.tuple([instance.shape.id]),
        z.transform(([id]) => id),
      ),
    }),
    z.transform((body) => body.instance_ids),
  ),
);
/** The ids of what ends now. */
export const terminateAnswer: Schema<readonly string[]> = data(
  z.pipe(
    z.object({ terminated_instances: z.array(z.object({ id: instance.shape.id })) }),
    z.transform((body) => body.terminated_instances.map(({ id }) => id)),
  ),
);
/** A success whose content nobody reads. */
export const doneAnswer: Schema<unknown> = data(z.unknown());

/** What the remote says of a failure, in its own words. */
export interface WireError {
  readonly code: string;
  readonly message?: string | undefined;
}

const errorEnvelope = z.object({ error: z.object({ code: text, message: absent(text) }) });

/** Undefined for what is not the API's envelope of errors. */
export function wireError(json: unknown): WireError | undefined {
  const parsed = errorEnvelope.safeParse(json);
  return parsed.success ? parsed.data.error : undefined;
}
