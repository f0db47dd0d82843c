import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { kubeconfigOf, MACHINE_IMAGE } from "slipway-kubernetes-cluster";
import { expect, inject, test, vi } from "vitest";
import { z } from "zod";
import { register } from "../../src/index.ts";
import { PERMISSIONS } from "../../src/permissions.ts";
import { writeKubeconfig } from "../world.ts";
import { SMALL_PODS } from "./small-pods.ts";
import { clusterWorld } from "./world.ts";

const event = z.object({
  verb: z.string(),
  responseStatus: z.object({ code: z.number() }),
  objectRef: z.object({ resource: z.string(), subresource: z.string().optional(), namespace: z.string().optional() }),
});

/** What the server has seen of the provider in one namespace. */
async function audited(namespace: string): Promise<readonly z.infer<typeof event>[]> {
  const lines = (await readFile(inject("cluster").auditLog, "utf8")).split("\n").filter((line) => line !== "");
  return lines
    .map((line) => event.parse(JSON.parse(line)))
    .filter(({ objectRef }) => objectRef.namespace === namespace);
}

test("the README's Role is exactly what the provider does, by the server's audit log", async () => {
  const { namespace } = await clusterWorld();
  const cluster = inject("cluster");
  const kubeconfig = await writeKubeconfig(kubeconfigOf(cluster, cluster.tenantToken, namespace));
  const config = { kubeconfig, image: MACHINE_IMAGE, ...SMALL_PODS };
  const { provider, hooks } = await register(config, { owner: "tests", variables: {} });
  await hooks.onStartup();
  const { id: volume } = await provider.createVolume({ key: "v", sizeBytes: 1024 ** 3 });
  const volumes = [{ id: volume, mountPath: "/data" }];
  const terminateBy = new Date(Date.now() + 600_000).toISOString();
  const { id } = await provider.spawn({ key: "k", bootstrap: { script: "true" }, volumes, terminateBy });
  await provider.list();
  await vi.waitFor(async () => expect((await provider.get(id))?.status).toBe("running"), { timeout: 120_000 });
  // Whether a kubelet answers is seen elsewhere: here it counts that the server lets the calls pass.
  await provider.exec(id, ["true"]).catch(() => undefined);
  await provider
    .logs(id)
    [Symbol.asyncIterator]()
    .next()
    .catch(() => undefined);
  await using forward = await provider.portForward(id, 80);
  await once(connect(forward.port, forward.host), "close");
  await provider.terminate(id);
  await vi.waitFor(async () => expect(await provider.get(id)).toBeNull(), { timeout: 20_000 });
  await provider.deleteVolume(volume);

  const seen = await audited(namespace);
  // Reads of what is not there yet are 404; nothing was refused.
  const refused = seen.filter(
    ({ responseStatus: { code }, objectRef: { subresource } }) =>
      code === 403 || (subresource === undefined && code >= 400 && code !== 404),
  );
  expect(refused).toEqual([]);
  const named = ({ verb, objectRef: { resource, subresource } }: z.infer<typeof event>): string =>
    `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
  // The server checks this one within the other request for a stream.
  const within = ["create pods/exec", "create pods/portforward"];
  expect([...new Set([...seen.map(named), ...within])].toSorted()).toEqual(
    PERMISSIONS.map(({ verb, resource }) => `${verb} ${resource}`).toSorted(),
  );
});
