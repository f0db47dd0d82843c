import { nameFor } from "@slipway/core";
import { expect, test } from "vitest";
import { kubernetes } from "../src/index.ts";
import { ownershipAnnotations, ownershipLabels } from "../src/ownership.ts";
import { failure, kubeconfig, writeKubeconfig } from "./world.ts";

test("a volume that is not there is refused before the pod that has finished is deleted", async () => {
  const name = nameFor("o", "k");
  const finished = {
    metadata: {
      ...{ name, namespace: "machines", uid: "uid-1", creationTimestamp: "2026-11-29T08:00:00Z" },
      labels: ownershipLabels("o"),
      annotations: ownershipAnnotations({ owner: "o", key: "k", specHash: "h", labels: {} }),
    },
    spec: { containers: [{ name: "main", image: "debian" }] },
    status: { phase: "Succeeded" },
  };
  const sent: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(String(input));
    sent.push(`${init?.method ?? "GET"} ${pathname}`);
    if (pathname.endsWith(`/pods/${name}`)) return Response.json(finished);
    const gone = {
      kind: "Status",
      reason: "NotFound",
      message: "not found",
      details: { name: "data", kind: "persistentvolumeclaims" },
      code: 404,
    };
    return Response.json(gone, { status: 404 });
  };
  const file = await writeKubeconfig(kubeconfig());
  const provider = kubernetes({ owner: "o", kubeconfig: file, runtime: { fetch } });
  const volumes = [{ id: "here/machines/data/uid-2", mountPath: "/data" }];
  expect(await failure(provider.spawn({ key: "k", volumes }))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(sent).toContain("GET /api/v1/namespaces/machines/persistentvolumeclaims/data");
  expect(sent.filter((one) => !one.startsWith("GET "))).toEqual([]);
});
