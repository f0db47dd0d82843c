import { type Admin } from "slipway-kubernetes-cluster";
import type { KubernetesProvider } from "../src/index.ts";
import { OWNER } from "./soak-request.ts";

const PAGE = 500;
const LISTINGS = 10;
const WRITERS = 4;

interface UnderChange {
  readonly admin: Admin;
  readonly namespace: string;
  readonly provider: KubernetesProvider;
  /** How many pods stay while others come and go. */
  readonly pods: number;
}

export interface Listed {
  readonly failures: readonly string[];
  readonly ofSeveralPages: number;
}

/** Lists while others are created and deleted: what is there all the time must be in each listing, and nothing twice. */
export async function listUnderChange({ admin, namespace, provider, pods }: UnderChange): Promise<Listed> {
  const path = `api/v1/namespaces/${namespace}/pods`;
  const make = async (name: string): Promise<void> => {
    const labels = { "app.kubernetes.io/managed-by": "slipway", "slipway.dev/owner": OWNER };
    const annotations = { "slipway.dev/owner": OWNER, "slipway.dev/key": name, "slipway.dev/spec-hash": "h" };
    const metadata = { name, labels, annotations };
    const spec = { containers: [{ name: "main", image: "x" }], schedulerName: "nobody" };
    const { status, text } = await admin.request("POST", path, { apiVersion: "v1", kind: "Pod", metadata, spec });
    if (status !== 201) throw new Error(text);
  };
  const end = async (name: string) => await admin.request("DELETE", `${path}/${name}`);
  const stay = Array.from({ length: pods }, (_, at) => `stays-${at}`);
  await Promise.all(stay.map(make));
  let isDone = false;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let at = 0; !isDone; at += 1) {
      const name = `moves-${writer}-${at}`;
      await make(name);
      await end(name);
    }
  });
  const failures: string[] = [];
  let ofSeveralPages = 0;
  for (let at = 0; at < LISTINGS; at += 1) {
    const listed = await provider.list();
    const keys = new Set(listed.map(({ key }) => key));
    const missing = stay.filter((key) => !keys.has(key));
    if (missing.length > 0) failures.push(`listing ${at} lacks ${missing.length} pods, ${missing[0]} among them`);
    if (keys.size !== listed.length) failures.push(`listing ${at} shows a pod twice`);
    if (listed.length > PAGE) ofSeveralPages += 1;
  }
  isDone = true;
  await Promise.all(writers);
  await Promise.all(stay.map(end));
  return { failures, ofSeveralPages };
}
