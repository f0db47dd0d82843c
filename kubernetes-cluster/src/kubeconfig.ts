import type { TestCluster } from "./test-cluster.ts";

/** A kubeconfig as a person has it: the context `test`, and one more for each further namespace. */
export function kubeconfigOf(
  { url, ca }: Pick<TestCluster, "url" | "ca">,
  token: string,
  namespace: string,
  ...more: string[]
): string {
  const data = Buffer.from(ca).toString("base64");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [namespace, ...more].map((each, at) => ({
      name: at === 0 ? "test" : `test-${at}`,
      context: { cluster: "here", user: "me", namespace: each },
    })),
    clusters: [{ name: "here", cluster: { server: url, "certificate-authority-data": data } }],
    users: [{ name: "me", user: token === "" ? {} : { token } }],
  });
}
