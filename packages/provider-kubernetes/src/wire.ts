import * as z from "zod/mini";

// What the API server answers, as little of it as is used. It leaves out what is empty, and writes null or an empty text for some:
// all of these are absent here.

const absent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
const text = z.pipe(
  z.nullish(z.string()),
  z.transform((value) => value || undefined),
);
const texts = absent(z.record(z.string(), z.string()));
const quantities = absent(z.record(z.string(), z.union([z.string(), z.number()])));
const owner = z.object({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() });
const said = z.object({ reason: text, message: text });
const metadata = z.object({
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
  creationTimestamp: text,
  deletionTimestamp: text,
  labels: texts,
  annotations: texts,
  finalizers: absent(z.array(z.string())),
  ownerReferences: absent(z.array(owner)),
});
const state = z.object({ waiting: absent(said), terminated: absent(z.extend(said, { exitCode: z.number() })) });

type Texts = Readonly<Record<string, string>>;
type Quantities = Readonly<Record<string, string | number>>;

/** A reason and a sentence of the remote's own. */
export interface WireSaid {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** What an object belongs to, and is removed with. */
export interface WireOwner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** An object of which only the name and the generation count. */
export interface WireNamed {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp?: string | undefined;
    readonly deletionTimestamp?: string | undefined;
    readonly labels?: Texts | undefined;
    readonly annotations?: Texts | undefined;
    readonly finalizers?: readonly string[] | undefined;
    readonly ownerReferences?: readonly WireOwner[] | undefined;
  };
}
export const namedAnswer: z.ZodMiniType<WireNamed> = z.object({ metadata });

export interface WirePod extends WireNamed {
  readonly spec: {
    readonly nodeName?: string | undefined;
    readonly nodeSelector?: Texts | undefined;
    readonly containers: readonly {
      readonly name: string;
      readonly image?: string | undefined;
      readonly resources?: { readonly limits?: Quantities | undefined } | undefined;
    }[];
    readonly volumes?:
      | readonly {
          readonly name: string;
          readonly secret?: { readonly secretName?: string | undefined } | undefined;
          readonly persistentVolumeClaim?: { readonly claimName: string } | undefined;
        }[]
      | undefined;
  };
  readonly status: WireSaid & {
    readonly phase?: string | undefined;
    readonly podIP?: string | undefined;
    readonly podIPs?: readonly { readonly ip?: string | undefined }[] | undefined;
    readonly conditions?: readonly (WireSaid & { readonly type: string; readonly status: string })[] | undefined;
    readonly containerStatuses?:
      | readonly {
          readonly name: string;
          readonly state?:
            | {
                readonly waiting?: WireSaid | undefined;
                readonly terminated?: (WireSaid & { readonly exitCode: number }) | undefined;
              }
            | undefined;
        }[]
      | undefined;
  };
}
export const podAnswer: z.ZodMiniType<WirePod> = z.object({
  metadata,
  spec: z.object({
    nodeName: text,
    nodeSelector: texts,
    containers: z.array(
      z.object({ name: z.string(), image: text, resources: absent(z.object({ limits: quantities })) }),
    ),
    volumes: absent(
      z.array(
        z.object({
          name: z.string(),
          secret: absent(z.object({ secretName: text })),
          persistentVolumeClaim: absent(z.object({ claimName: z.string() })),
        }),
      ),
    ),
  }),
  status: z.pipe(
    z.nullish(
      z.extend(said, {
        phase: text,
        podIP: text,
        podIPs: absent(z.array(z.object({ ip: text }))),
        conditions: absent(z.array(z.extend(said, { type: z.string(), status: z.string() }))),
        containerStatuses: absent(z.array(z.object({ name: z.string(), state: absent(state) }))),
      }),
    ),
    z.transform((value) => value ?? {}),
  ),
});

/** A PersistentVolumeClaim. */
export interface WireClaim extends WireNamed {
  readonly spec: { readonly resources?: { readonly requests?: Quantities | undefined } | undefined };
  readonly status?: { readonly phase?: string | undefined } | undefined;
}
export const claimAnswer: z.ZodMiniType<WireClaim> = z.object({
  metadata,
  spec: z.object({ resources: absent(z.object({ requests: quantities })) }),
  status: absent(z.object({ phase: text })),
});

export interface WireNode {
  readonly metadata: { readonly labels?: Texts | undefined };
}
export const nodeAnswer: z.ZodMiniType<WireNode> = z.object({ metadata: z.object({ labels: texts }) });

/** Any object of the API of which only the existence counts. */
export interface WireObject {
  readonly kind: string;
}
export const objectAnswer: z.ZodMiniType<WireObject> = z.object({ kind: z.string() });

export interface WirePage<T> {
  readonly metadata?: { readonly continue?: string | undefined } | undefined;
  readonly items?: readonly T[] | undefined;
}
export function pageOf<T>(item: z.ZodMiniType<T>): z.ZodMiniType<WirePage<T>> {
  return z.object({ metadata: absent(z.object({ continue: text })), items: absent(z.array(item)) });
}

export const accessReviewAnswer: z.ZodMiniType<{ readonly status: { readonly allowed: boolean } }> = z.object({
  status: z.object({ allowed: z.boolean() }),
});

const failure = z.extend(said, { details: absent(z.object({ kind: text })) });

/** What the API says of a failure: its reason with the kind of thing that it speaks of, as `AlreadyExists/pods`. */
export function wireFailure(json: unknown): { readonly code: string; readonly message: string } | undefined {
  const parsed = failure.safeParse(json);
  if (!parsed.success) return undefined;
  const { reason, message, details } = parsed.data;
  if (message === undefined) return undefined;
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
