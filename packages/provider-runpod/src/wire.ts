import type { Schema } from "@slipway/core";
import * as z from "zod/mini";

// What RunPod answers, as little of it as is used. New fields and new words pass; null counts as absent. What a pod's
// `env` and `args` hold beyond the ownership never leaves `ownership.ts`.

const absent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
const text = z.string();
const whole = z.int().check(z.nonnegative());
const amount = z.number().check(z.nonnegative());

/** What may stand in a path as it is. */
const id = text.check(z.regex(/^[A-Za-z0-9_-]{1,64}$/));

const sshDirect = z.object({
  host: text.check(z.minLength(1)),
  port: z.int().check(z.gte(1), z.lte(65_535)),
  username: absent(text),
});

const mounts = z.object({
  persistent: absent(z.object({ size: amount, path: text })),
  network: absent(z.array(z.object({ volumeId: text, path: absent(text) }))),
});

const runtimePort = z.object({ private: whole, public: absent(whole), type: text, ip: absent(text) });

// Of pods that are not ours anything may stand there: what is no text is left out, and fails no listing.
const environment = z.pipe(
  z.record(text, z.unknown()),
  z.transform(
    (env): Readonly<Record<string, string>> =>
      Object.fromEntries(
        Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
      ),
  ),
);

const pod = z.object({
  id,
  name: absent(text),
  status: text.check(z.minLength(1)),
  image: absent(text),
  disk: absent(amount),
  env: absent(environment),
  mounts: absent(mounts),
  gpu: absent(
    z.object({ id: text.check(z.minLength(1)), count: whole, vcpuCount: absent(amount), memory: absent(amount) }),
  ),
  cpu: absent(z.object({ id: text.check(z.minLength(1)), vcpuCount: absent(amount), memory: absent(amount) })),
  cloud: absent(text),
  dataCenterId: absent(text),
  cost: absent(amount),
  ssh: absent(z.object({ direct: absent(sshDirect) })),
  runtime: absent(z.object({ ports: absent(z.array(runtimePort)) })),
  createdAt: absent(text),
  startedAt: absent(text),
});

const pagination = absent(z.object({ nextCursor: absent(text), hasNextPage: absent(z.boolean()) }));

const availability = absent(text);
const offered = absent(z.array(z.object({ id: text.check(z.minLength(1)), name: absent(text), availability })));

const gpuType = z.object({
  id: text.check(z.minLength(1)),
  name: absent(text),
  memory: absent(amount),
  price: absent(z.object({ secure: absent(amount), community: absent(amount) })),
  maxCount: absent(z.object({ secure: absent(whole), community: absent(whole) })),
  availability,
  dataCenters: offered,
});

const cpuType = z.object({
  id: text.check(z.minLength(1)),
  name: absent(text),
  vcpu: absent(z.object({ min: absent(amount), max: absent(amount) })),
  ramGbPerVcpu: absent(amount),
  price: absent(z.object({ securePerVcpu: absent(amount) })),
});

const dataCenter = z.object({
  id: text.check(z.minLength(1)),
  name: absent(text),
  networkVolumeTypes: absent(z.array(text)),
  cpuAvailability: offered,
});

const networkVolume = z.object({ id, name: text, size: amount, dataCenter: absent(text) });

type Maybe<T> = T | undefined;

export interface WirePod {
  readonly id: string;
  readonly status: string;
  readonly name?: Maybe<string>;
  readonly image?: Maybe<string>;
  readonly disk?: Maybe<number>;
  readonly env?: Maybe<Readonly<Record<string, string>>>;
  readonly mounts?: Maybe<{ readonly network?: Maybe<readonly { readonly volumeId: string }[]> }>;
  readonly gpu?: Maybe<WireGpu>;
  readonly cpu?: Maybe<WireCpu>;
  readonly cloud?: Maybe<string>;
  readonly dataCenterId?: Maybe<string>;
  readonly cost?: Maybe<number>;
  readonly ssh?: Maybe<{ readonly direct?: Maybe<WireSsh> }>;
  readonly runtime?: Maybe<{ readonly ports?: Maybe<readonly WirePort[]> }>;
  readonly createdAt?: Maybe<string>;
  readonly startedAt?: Maybe<string>;
}

/** A pod after the probe of its sshd. */
export interface SeenPod extends WirePod {
  /** RunPod reports an address, and nothing answers there. */
  readonly isSilent?: boolean;
}

export interface WireSsh {
  readonly host: string;
  readonly port: number;
  readonly username?: Maybe<string>;
}

export interface WirePort {
  readonly private: number;
  readonly public?: Maybe<number>;
  readonly type: string;
  readonly ip?: Maybe<string>;
}

interface WireSize {
  readonly vcpuCount?: Maybe<number>;
  /** GB. */
  readonly memory?: Maybe<number>;
}

export interface WireGpu extends WireSize {
  readonly id: string;
  readonly count: number;
}

export interface WireCpu extends WireSize {
  readonly id: string;
}

/** How much of a thing there is: NONE, LOW, MEDIUM, HIGH, or a word of the future. */
export interface WireOffered {
  readonly id: string;
  readonly name?: Maybe<string>;
  readonly availability?: Maybe<string>;
}

export interface WireGpuType {
  readonly id: string;
  readonly name?: Maybe<string>;
  readonly price?: Maybe<{ readonly secure?: Maybe<number>; readonly community?: Maybe<number> }>;
  readonly maxCount?: Maybe<{ readonly secure?: Maybe<number>; readonly community?: Maybe<number> }>;
  readonly availability?: Maybe<string>;
  readonly dataCenters?: Maybe<readonly WireOffered[]>;
}

export interface WireCpuType {
  readonly id: string;
  readonly vcpu?: Maybe<{ readonly min?: Maybe<number>; readonly max?: Maybe<number> }>;
  readonly ramGbPerVcpu?: Maybe<number>;
  readonly price?: Maybe<{ readonly securePerVcpu?: Maybe<number> }>;
}

export interface WireDataCenter {
  readonly id: string;
  readonly name?: Maybe<string>;
  readonly networkVolumeTypes?: Maybe<readonly string[]>;
  readonly cpuAvailability?: Maybe<readonly WireOffered[]>;
}

export interface WireNetworkVolume {
  readonly id: string;
  readonly name: string;
  /** GB. */
  readonly size: number;
  readonly dataCenter?: Maybe<string>;
}

/** One page of a listing. */
export interface WirePage<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | undefined;
  /** The remote says that there is more. */
  readonly more: boolean;
}

/** `name` is where the items stand. Lists without pages have no `pagination`. */
function page<T>(item: z.ZodMiniType<T>, name: string): Schema<WirePage<T>> {
  const body = z.looseObject({ pagination });
  return z.pipe(
    body,
    z.transform((answer, context): WirePage<T> => {
      const items = z.array(item).safeParse(answer[name]);
      if (!items.success) {
        context.issues.push({ code: "custom", message: `${name} is not a list of what it should be`, input: answer });
        return z.NEVER;
      }
      const { nextCursor, hasNextPage } = answer.pagination ?? {};
      return { items: items.data, nextCursor, more: hasNextPage ?? nextCursor !== undefined };
    }),
  );
}

export const podAnswer: Schema<WirePod> = pod;
export const podsAnswer: Schema<WirePage<WirePod>> = page(pod, "pods");
export const gpusAnswer: Schema<WirePage<WireGpuType>> = page(gpuType, "gpus");
export const cpusAnswer: Schema<WirePage<WireCpuType>> = page(cpuType, "cpus");
export const dataCentersAnswer: Schema<WirePage<WireDataCenter>> = page(dataCenter, "dataCenters");
export const networkVolumeAnswer: Schema<WireNetworkVolume> = networkVolume;
export const networkVolumesAnswer: Schema<WirePage<WireNetworkVolume>> = page(networkVolume, "networkVolumes");
export const sshKeysAnswer: Schema<{ readonly keys: readonly string[] }> = z.object({ keys: z.array(text) });
/** A success whose content nobody reads. */
export const nothingAnswer: Schema<unknown> = z.unknown();

export type Cloud = "SECURE" | "COMMUNITY";

/** What a create asks for. Everything that RunPod has a default for is written out. */
export interface CreateBody {
  readonly name: string;
  readonly image: string;
  readonly cloud: Cloud;
  readonly disk: number;
  readonly ports: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly gpu?: { readonly id: string; readonly count: number };
  readonly cpu?: { readonly id: string; readonly vcpuCount: number };
  readonly dataCenterIds?: readonly string[];
  readonly mounts?: { readonly network: readonly { readonly volumeId: string; readonly path: string }[] };
  readonly args?: string;
  readonly startSsh?: boolean;
}

/** The body of a failure; it has no machine-readable code. */
export interface WireProblem {
  readonly title: string | undefined;
  readonly detail: string;
}

const problem = z.object({
  title: absent(text),
  status: absent(z.number()),
  detail: absent(text),
  errors: absent(z.array(text)),
});

/** Undefined for what is no problem document of the API. */
export function wireProblem(json: unknown): WireProblem | undefined {
  const parsed = problem.safeParse(json);
  if (!parsed.success) return undefined;
  const { title, detail, errors = [] } = parsed.data;
  if (title === undefined && detail === undefined && errors.length === 0) return undefined;
  return { title, detail: [detail ?? title ?? "", ...errors].filter((part) => part !== "").join("; ") };
}
