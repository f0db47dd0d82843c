import * as z from "zod/mini";

// The API leaves out what is empty, and writes null for some empty lists.
type Maybe<T> = T | null | undefined;
export type WireQuantities = Readonly<Record<string, string | number>>;

export interface WireCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: Maybe<string>;
  readonly message?: Maybe<string>;
}

export interface WireContainerState {
  readonly waiting?: Maybe<{ readonly reason?: Maybe<string>; readonly message?: Maybe<string> }>;
  readonly terminated?: Maybe<{
    readonly exitCode: number;
    readonly reason?: Maybe<string>;
    readonly message?: Maybe<string>;
  }>;
}

/** What an object belongs to, and is removed with. */
export interface WireOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface WirePod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp?: Maybe<string>;
    readonly deletionTimestamp?: Maybe<string>;
    readonly labels?: Maybe<Readonly<Record<string, string>>>;
    readonly annotations?: Maybe<Readonly<Record<string, string>>>;
    readonly finalizers?: Maybe<readonly string[]>;
    readonly ownerReferences?: Maybe<readonly WireOwner[]>;
  };
  readonly spec: {
    readonly nodeName?: Maybe<string>;
    readonly nodeSelector?: Maybe<Readonly<Record<string, string>>>;
    readonly containers: readonly {
      readonly name: string;
      readonly image?: Maybe<string>;
      readonly resources?: Maybe<{ readonly limits?: Maybe<WireQuantities> }>;
    }[];
    readonly volumes?: Maybe<
      readonly {
        readonly name: string;
        readonly secret?: Maybe<{ readonly secretName?: Maybe<string> }>;
        readonly persistentVolumeClaim?: Maybe<{ readonly claimName: string }>;
      }[]
    >;
  };
  readonly status?: Maybe<{
    readonly phase?: Maybe<string>;
    readonly reason?: Maybe<string>;
    readonly message?: Maybe<string>;
    readonly podIP?: Maybe<string>;
    readonly podIPs?: Maybe<readonly { readonly ip?: Maybe<string> }[]>;
    readonly conditions?: Maybe<readonly WireCondition[]>;
    readonly containerStatuses?: Maybe<
      readonly { readonly name: string; readonly state?: Maybe<WireContainerState> }[]
    >;
  }>;
}

/** A PersistentVolumeClaim. */
export interface WireClaim {
  readonly metadata: WirePod["metadata"];
  readonly spec: { readonly resources?: Maybe<{ readonly requests?: Maybe<WireQuantities> }> };
  readonly status?: Maybe<{ readonly phase?: Maybe<string> }>;
}

export interface WireNode {
  readonly metadata: { readonly labels?: Maybe<Readonly<Record<string, string>>> };
}

export interface WirePage<T> {
  readonly metadata?: Maybe<{ readonly continue?: Maybe<string> }>;
  readonly items?: Maybe<readonly T[]>;
}

/** An object of which only the name and the generation count. */
export type WireNamed = Pick<WirePod, "metadata">;

/** Any object of the API of which only the existence counts. */
export interface WireObject {
  readonly kind: string;
}

export interface WireAccessReview {
  readonly status: { readonly allowed: boolean };
}

const text = z.nullish(z.string());
const textMap = z.nullish(z.record(z.string(), z.string()));
const quantities = z.nullish(z.record(z.string(), z.union([z.string(), z.number()])));
const condition: z.ZodMiniType<WireCondition> = z.object({
  type: z.string(),
  status: z.string(),
  reason: text,
  message: text,
});
const containerState: z.ZodMiniType<WireContainerState> = z.object({
  waiting: z.nullish(z.object({ reason: text, message: text })),
  terminated: z.nullish(z.object({ exitCode: z.number(), reason: text, message: text })),
});

const metadata: z.ZodMiniType<WirePod["metadata"]> = z.object({
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
  creationTimestamp: text,
  deletionTimestamp: text,
  labels: textMap,
  annotations: textMap,
  finalizers: z.nullish(z.array(z.string())),
  ownerReferences: z.nullish(
    z.array(z.object({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() })),
  ),
});

export const podAnswer: z.ZodMiniType<WirePod> = z.object({
  metadata,
  spec: z.object({
    nodeName: text,
    nodeSelector: textMap,
    containers: z.array(
      z.object({ name: z.string(), image: text, resources: z.nullish(z.object({ limits: quantities })) }),
    ),
    volumes: z.nullish(
      z.array(
        z.object({
          name: z.string(),
          secret: z.nullish(z.object({ secretName: text })),
          persistentVolumeClaim: z.nullish(z.object({ claimName: z.string() })),
        }),
      ),
    ),
  }),
  status: z.nullish(
    z.object({
      phase: text,
      reason: text,
      message: text,
      podIP: text,
      podIPs: z.nullish(z.array(z.object({ ip: text }))),
      conditions: z.nullish(z.array(condition)),
      containerStatuses: z.nullish(z.array(z.object({ name: z.string(), state: z.nullish(containerState) }))),
    }),
  ),
});

export const claimAnswer: z.ZodMiniType<WireClaim> = z.object({
  metadata,
  spec: z.object({ resources: z.nullish(z.object({ requests: quantities })) }),
  status: z.nullish(z.object({ phase: text })),
});

export function pageOf<T>(item: z.ZodMiniType<T>): z.ZodMiniType<WirePage<T>> {
  return z.object({ metadata: z.nullish(z.object({ continue: text })), items: z.nullish(z.array(item)) });
}

export const nodeAnswer: z.ZodMiniType<WireNode> = z.object({ metadata: z.object({ labels: textMap }) });

export const namedAnswer: z.ZodMiniType<WireNamed> = z.object({ metadata });

export const objectAnswer: z.ZodMiniType<WireObject> = z.object({ kind: z.string() });

export const accessReviewAnswer: z.ZodMiniType<WireAccessReview> = z.object({
  status: z.object({ allowed: z.boolean() }),
});

const failure = z.object({ reason: text, message: text, details: z.nullish(z.object({ kind: text })) });

/** What the API says of a failure: its reason with the kind of thing that it speaks of, as `AlreadyExists/pods`. */
export function wireFailure(json: unknown): { readonly code: string; readonly message: string } | undefined {
  const parsed = failure.safeParse(json);
  if (!parsed.success) return undefined;
  const { reason, message, details } = parsed.data;
  if (message === undefined || message === null) return undefined;
  return { code: `${reason ?? "Unknown"}/${details?.kind ?? ""}`, message };
}

/** The body of a pod that is created. */
export interface PodBody {
  readonly apiVersion: "v1";
  readonly kind: "Pod";
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly WireOwner[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
}
