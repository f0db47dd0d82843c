import { setTimeout as pause } from "node:timers/promises";
import { type Admin } from "slipway-kubernetes-cluster";
import { z } from "zod";
import { OWNER } from "./soak-request.ts";

const objects = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        uid: z.string(),
        ownerReferences: z.array(z.object({ uid: z.string() })).optional(),
      }),
      spec: z
        .object({ ttlSecondsAfterFinished: z.number().optional(), activeDeadlineSeconds: z.number().optional() })
        .optional(),
    }),
  ),
});
type Patiently = <T>(work: () => Promise<T>) => Promise<T>;

const GONE_MS = 60_000;
const SELECTOR = `labelSelector=${encodeURIComponent(`slipway.dev/owner=${OWNER}`)}`;

export interface Held {
  /** Undefined where there is no such pod. */
  readonly uid: string | undefined;
  readonly secrets: number;
  readonly jobs: number;
  readonly hasEnd: boolean;
}

export interface NamespaceState {
  /** The pod of a name, its Secrets, and the Jobs that were made for it. */
  readonly held: (name: string) => Promise<Held>;
  readonly setQuota: (pods: number) => Promise<void>;
  /** What should not be there when all keys are gone. A Job of a process that was killed removes itself at its time. */
  readonly leftovers: () => Promise<readonly string[]>;
}

/** A pod that is never made: it shows whether a quota is in force. */
const PROBE = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "probe" },
  spec: { containers: [{ name: "main", image: "none" }] },
};

/** What the server itself holds in the namespace of a soak. */
export function namespaceState(admin: Admin, namespace: string, patiently: Patiently): NamespaceState {
  const core = `api/v1/namespaces/${namespace}`;
  const jobs = `apis/batch/v1/namespaces/${namespace}/jobs`;
  const read = async (collection: string) =>
    await patiently(async () => {
      const { status, json, text } = await admin.request("GET", `${collection}?${SELECTOR}`);
      if (status !== 200) throw new Error(text);
      return objects.parse(json).items;
    });
  const ownedBy = (uid: string | undefined) => (item: z.infer<typeof objects>["items"][number]) =>
    item.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
  return {
    held: async (name: string) => {
      const [pods, secrets, ends] = await Promise.all([read(`${core}/pods`), read(`${core}/secrets`), read(jobs)]);
      const pod = pods.find(({ metadata }) => metadata.name === name);
      return {
        uid: pod?.metadata.uid,
        secrets: secrets.filter(ownedBy(pod?.metadata.uid)).length,
        jobs: ends.filter(({ metadata }) => metadata.name.startsWith(`${name}-`)).length,
        hasEnd: ends.some(({ metadata }) => pod !== undefined && ownedBy(metadata.uid)(pod)),
      };
    },
    setQuota: async (pods: number) => {
      const body = {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "soak" },
        spec: { hard: { pods: String(pods) } },
      };
      const url = `${core}/resourcequotas`;
      const made = await patiently(() => admin.request("POST", url, body));
      if (made.status !== 409) return;
      await patiently(() => admin.request("PATCH", `${url}/soak`, body));
      // The server's admission learns of it later, and later still where it has just been started.
      const refused = pods === 0;
      const tried = () => patiently(() => admin.request("POST", `${core}/pods?dryRun=All`, PROBE));
      for (const until = performance.now() + GONE_MS; ((await tried()).status === 403) !== refused; await pause(200))
        if (performance.now() > until) throw new Error(`the quota of ${pods} pods is not in force`);
    },
    leftovers: async () => {
      for (const until = performance.now() + GONE_MS; ; await pause(500)) {
        const kinds = ["pods", "secrets", "persistentvolumeclaims"];
        const all = await Promise.all(
          kinds.map(async (kind) => (await read(`${core}/${kind}`)).map((one) => ({ kind, one }))),
        );
        const left = all.flat().map(({ kind, one }) => `${kind}/${one.metadata.name} is left`);
        const endless = (await read(jobs))
          .filter(({ spec }) => spec?.ttlSecondsAfterFinished !== 0 || spec.activeDeadlineSeconds === undefined)
          .map(({ metadata }) => `the Job ${metadata.name} does not remove itself`);
        if ((left.length === 0 && endless.length === 0) || performance.now() > until) return [...left, ...endless];
      }
    },
  };
}
