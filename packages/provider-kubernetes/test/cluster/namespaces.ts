import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Admin, type TestCluster } from "slipway-kubernetes-cluster";
import { parse } from "yaml";
import { z } from "zod";

const reviewed = z.object({ status: z.object({ allowed: z.boolean() }) });

let namespaces = 0;

/** A namespace, and in it no more rights than the README's Role gives. */
export async function newNamespace(cluster: TestCluster, admin: Admin): Promise<string> {
  namespaces += 1;
  const name = `case-${process.pid}-${namespaces}`;
  const make = async (collection: string, body: object): Promise<void> => {
    const { status, text } = await admin.request("POST", collection, body);
    if (status !== 201) throw new Error(`${collection} in ${cluster.url}: ${text}`);
  };
  await make("api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const rbac = `apis/rbac.authorization.k8s.io/v1/namespaces/${name}`;
  await make(`${rbac}/roles`, await roleOfReadme());
  const apiGroup = "rbac.authorization.k8s.io";
  await make(`${rbac}/rolebindings`, {
    ...{ apiVersion: `${apiGroup}/v1`, kind: "RoleBinding", metadata: { name: "slipway" } },
    roleRef: { apiGroup, kind: "Role", name: "slipway" },
    subjects: [{ apiGroup, kind: "User", name: "tenant" }],
  });
  await eventuallyAllowed(admin, name);
  await eventuallyThere(admin, `api/v1/namespaces/${name}/serviceaccounts/default`);
  return name;
}

/** The server's own authorizer learns of a new binding a moment after it is stored. */
async function eventuallyAllowed(admin: Admin, namespace: string): Promise<void> {
  const resourceAttributes = { namespace, verb: "create", resource: "secrets" };
  const spec = { user: "tenant", resourceAttributes };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
  for (const until = performance.now() + 30_000; performance.now() < until; ) {
    const { json } = await admin.request("POST", "apis/authorization.k8s.io/v1/subjectaccessreviews", body);
    if (reviewed.parse(json).status.allowed) return;
  }
  throw new Error(`the binding in ${namespace} was not seen in time`);
}

/** No pod is admitted before a controller has made the account of the namespace. */
async function eventuallyThere(admin: Admin, path: string): Promise<void> {
  for (const until = performance.now() + 30_000; performance.now() < until; ) {
    if ((await admin.request("GET", path)).status === 200) return;
  }
  throw new Error(`${path} was not there in time`);
}

async function roleOfReadme(): Promise<object> {
  const readme = await readFile(path.join(import.meta.dirname, "..", "..", "README.md"), "utf8");
  const block = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
  const role: unknown = parse(block.find((text) => text.includes("kind: Role\n")) ?? "");
  if (typeof role !== "object" || role === null) throw new Error("the README shows no Role");
  return role;
}
