import * as z from "zod/mini";

// What `container` answers, as far as it is read. Unknown fields are left alone, since minor releases add some. Of a
// container only its id, labels and state are demanded: one that somebody else has made may lack anything else.

export interface WireMount {
  /** An object with one key, which is the kind: `{"volume":{"name":…}}`. */
  readonly type?: Readonly<Record<string, unknown>> | undefined;
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
}

export interface WirePort {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly proto?: string | undefined;
  readonly hostAddress?: string | undefined;
}

/** How a running container is attached to a network. */
export interface WireAttachment {
  readonly network?: string | undefined;
  /** With the length of its prefix. */
  readonly ipv4Address?: string | undefined;
  readonly ipv6Address?: string | undefined;
  readonly ipv4Gateway?: string | undefined;
}

export interface WireContainer {
  readonly id: string;
  /** What was asked for at its creation; it never changes. */
  readonly configuration: {
    readonly image?: { readonly reference: string } | undefined;
    readonly labels: Readonly<Record<string, string>>;
    readonly mounts: readonly WireMount[];
    readonly publishedPorts: readonly WirePort[];
    readonly resources?:
      | { readonly cpus?: number | undefined; readonly memoryInBytes?: number | undefined }
      | undefined;
    readonly creationDate?: string | undefined;
  };
  readonly status: {
    readonly state: string;
    /** Empty unless it runs. */
    readonly networks: readonly WireAttachment[];
    /** Absent before the first start, and after a restart of the service. */
    readonly startedDate?: string | undefined;
  };
}

export interface WireVolume {
  readonly configuration: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly sizeInBytes?: number | undefined;
    readonly creationDate?: string | undefined;
  };
}

export interface WireNetwork {
  readonly id: string;
}

const attachment: z.ZodMiniType<WireAttachment> = z.object({
  network: z.optional(z.string()),
  ipv4Address: z.optional(z.string()),
  ipv6Address: z.optional(z.string()),
  ipv4Gateway: z.optional(z.string()),
});

const mount: z.ZodMiniType<WireMount> = z.object({
  type: z.optional(z.record(z.string(), z.unknown())),
  source: z.optional(z.string()),
  destination: z.optional(z.string()),
});

const publishedPort: z.ZodMiniType<WirePort> = z.object({
  hostPort: z.number(),
  containerPort: z.number(),
  proto: z.optional(z.string()),
  hostAddress: z.optional(z.string()),
});

const container: z.ZodMiniType<WireContainer> = z.object({
  id: z.string(),
  configuration: z.object({
    image: z.optional(z.object({ reference: z.string() })),
    labels: z._default(z.record(z.string(), z.string()), {}),
    mounts: z._default(z.array(mount), []),
    publishedPorts: z._default(z.array(publishedPort), []),
    resources: z.optional(z.object({ cpus: z.optional(z.number()), memoryInBytes: z.optional(z.number()) })),
    creationDate: z.optional(z.string()),
  }),
  status: z.object({
    state: z.string(),
    networks: z._default(z.array(attachment), []),
    startedDate: z.optional(z.string()),
  }),
});

const volume: z.ZodMiniType<WireVolume> = z.object({
  configuration: z.object({
    name: z.string(),
    labels: z._default(z.record(z.string(), z.string()), {}),
    sizeInBytes: z.optional(z.number()),
    creationDate: z.optional(z.string()),
  }),
});

const network: z.ZodMiniType<WireNetwork> = z.object({ id: z.string() });

export const containersAnswer: z.ZodMiniType<readonly WireContainer[]> = z.array(container);
export const volumesAnswer: z.ZodMiniType<readonly WireVolume[]> = z.array(volume);
export const networksAnswer: z.ZodMiniType<readonly WireNetwork[]> = z.array(network);
/** All versions have this field in common, and nothing else. */
export const systemStatusAnswer: z.ZodMiniType<{ readonly status: string }> = z.object({ status: z.string() });

const oldElement: z.ZodMiniType<{ readonly status: string }> = z.object({
  status: z.string(),
  configuration: z.unknown(),
});

/** The shape that versions before 1.0.0 answer: the status is a word, and the addresses stand beside it. */
export function isOldShape(answer: unknown): boolean {
  return Array.isArray(answer) && answer.length > 0 && oldElement.safeParse(answer[0]).success;
}
