import { type Admin } from "slipway-kubernetes-cluster";

const GROUP = "apis/flowcontrol.apiserver.k8s.io/v1";
const NAME = "soak";

const EFFECTIVE_MS = 10_000;

/** Gives the tenant one request at a time, so that the server refuses others; what it answers ends that. */
export async function squeeze(admin: Admin, tenant: Admin, namespace: string): Promise<() => Promise<void>> {
  const kind = (name: string) => ({
    apiVersion: "flowcontrol.apiserver.k8s.io/v1",
    kind: name,
    metadata: { name: NAME },
  });
  const make = async (collection: string, body: object): Promise<void> => {
    const { status, text } = await admin.request("POST", `${GROUP}/${collection}`, body);
    if (status !== 201 && status !== 409) throw new Error(text);
  };
  const limited = { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: "Reject" } };
  await make("prioritylevelconfigurations", {
    ...kind("PriorityLevelConfiguration"),
    spec: { type: "Limited", limited },
  });
  await make("flowschemas", {
    ...kind("FlowSchema"),
    spec: {
      priorityLevelConfiguration: { name: NAME },
      matchingPrecedence: 2,
      rules: [
        {
          subjects: [{ kind: "User", user: { name: "tenant" } }],
          resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true }],
        },
      ],
    },
  });
  // The server learns of it a moment later.
  for (const until = performance.now() + EFFECTIVE_MS; performance.now() < until; ) {
    const path = `api/v1/namespaces/${namespace}/pods/none`;
    const answers = await Promise.all(Array.from({ length: 16 }, () => tenant.request("GET", path)));
    if (answers.some(({ status }) => status === 429)) break;
  }
  return async () => {
    for (const collection of ["flowschemas", "prioritylevelconfigurations"]) {
      const { status, text } = await admin.request("DELETE", `${GROUP}/${collection}/${NAME}`);
      if (status >= 400 && status !== 404) throw new Error(text);
    }
  };
}
