import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { adminOf, kubeconfigOf } from "slipway-kubernetes-cluster";
import { expect, inject, test } from "vitest";
import { z } from "zod";
import { kubernetes } from "../../src/index.ts";
import { newFolder } from "../world.ts";
import { clusterWorld } from "./world.ts";

const SOURCE = path.join(import.meta.dirname, "..", "..", "src", "index.ts");
const LIMIT_MS = 60_000;

test("an exec plugin is told the cluster, and is asked again when the server refuses its token", async () => {
  const { namespace } = await clusterWorld();
  const cluster = inject("cluster");
  const folder = await newFolder();
  const [plugin, asked] = [path.join(folder, "login"), path.join(folder, "asked")];
  // The first token is no longer valid, as after a night.
  const credential = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$token'"}}`;
  const lines = [
    "#!/bin/sh",
    `token=expired; [ -e ${asked} ] && token=${cluster.tenantToken}`,
    `printf '%s\\n' "$KUBERNETES_EXEC_INFO" >> ${asked}`,
    `printf '%s' '${credential}'`,
  ];
  await writeFile(plugin, `${lines.join("\n")}\n`);
  await chmod(plugin, 0o700);
  const file = z
    .looseObject({ users: z.array(z.looseObject({ user: z.unknown() })) })
    .parse(JSON.parse(kubeconfigOf(cluster, cluster.tenantToken, namespace)));
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugin, provideClusterInfo: true };
  const users = file.users.map((user) => ({ ...user, user: { exec } }));
  const kubeconfig = path.join(folder, "config");
  await writeFile(kubeconfig, JSON.stringify({ ...file, users }));
  expect(await kubernetes({ owner: "o", kubeconfig }).list()).toEqual([]);
  const infos = (await readFile(asked, "utf8")).trim().split("\n");
  expect(infos).toHaveLength(2);
  for (const info of infos) {
    expect(JSON.parse(info)).toMatchObject({ spec: { interactive: false, cluster: { server: cluster.url } } });
  }
});

test("in a pod the account that the kubelet mounts is used, at the address that it names", async () => {
  const { admin, namespace } = await clusterWorld();
  const cluster = inject("cluster");
  const rbac = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "slipway" };
  await adminOf(cluster).request("POST", `apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
    ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name: "account" } },
    ...{ roleRef: rbac, subjects: [{ kind: "ServiceAccount", name: "default", namespace }] },
  });
  const account = `api/v1/namespaces/${namespace}/serviceaccounts/default/token`;
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const { json } = await admin.request("POST", account, request);
  const { token } = z.object({ status: z.object({ token: z.string() }) }).parse(json).status;
  const home = await newFolder();
  const files = { token, "ca.crt": cluster.ca, namespace };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(home, name), text);
  // A mount that only this process sees: the machine's own /run stays as it is.
  const mounted = "/run/secrets/kubernetes.io/serviceaccount";
  const mount = `mount -t tmpfs tmpfs /run && mkdir -p ${mounted} && cp "$0"/* ${mounted} && exec "$@"`;
  const program = `
    const { kubernetes } = await import(${JSON.stringify(SOURCE)});
    const provider = kubernetes({ owner: "o" });
    console.log(JSON.stringify([await provider.listRegions(), await provider.list()]));
  `;
  const node = [process.execPath, "--conditions=@slipway/source", "--input-type=module", "-e", program];
  const { hostname, port } = new URL(cluster.url);
  const env = { HOME: home, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const run = commandRunner({ defaults: { timeoutMs: LIMIT_MS, env } });
  const said = await run("unshare", ["--mount", "sh", "-c", mount, home, ...node]);
  expect(said).toMatchObject({ exitCode: 0, stderr: "" });
  expect(JSON.parse(said.stdout)).toEqual([[{ id: "in-cluster", name: "in-cluster" }], []]);
});
