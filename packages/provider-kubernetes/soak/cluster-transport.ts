import { readFileSync } from "node:fs";
import { z } from "zod";
import { clusterFetch } from "../src/access/cluster-fetch.ts";

const cluster = z.object({ cluster: z.object({ "certificate-authority-data": z.string() }) });

/** The provider's own way to the API server of a kubeconfig, to be watched or cut by the soak. */
export function clusterTransport(kubeconfig: string): typeof globalThis.fetch {
  const file = z.object({ clusters: z.array(cluster) }).parse(JSON.parse(readFileSync(kubeconfig, "utf8")));
  const ca = Buffer.from(file.clusters[0]?.cluster["certificate-authority-data"] ?? "", "base64").toString();
  return clusterFetch(() => ({ ca, cert: undefined, key: undefined, servername: undefined, insecure: false }));
}
