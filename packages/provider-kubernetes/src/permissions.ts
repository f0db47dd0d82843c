import type { Call } from "@slipway/provider-kit/driver";
import type { KubernetesClient, Permission } from "./client.ts";
import type { KubernetesRemote } from "./remote.ts";

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly group?: string;
}

// The README's Role, rule by rule.
const RULES: readonly Rule[] = [
  { resources: ["namespaces"], verbs: ["get"] },
  { resources: ["pods"], verbs: ["get", "list", "create", "delete"] },
  // A command over a WebSocket is a GET; newer servers ask for the right to create as well.
  { resources: ["pods/exec", "pods/portforward"], verbs: ["get", "create"] },
  { resources: ["pods/log"], verbs: ["get"] },
  { resources: ["secrets"], verbs: ["get", "create"] },
  { resources: ["persistentvolumeclaims"], verbs: ["get", "list", "create", "delete"] },
  // By which pods with `terminateBy` end.
  { resources: ["jobs"], verbs: ["create", "delete"], group: "batch" },
];

/** All that this provider does in its namespace. */
export const PERMISSIONS: readonly Permission[] = RULES.flatMap(({ resources, verbs, ...group }) =>
  resources.flatMap((resource) => verbs.map((verb) => ({ verb, resource, ...group }))),
);

/** Throws what is missing: the namespace, or a permission in it. Nothing is stored by asking. */
export async function checkPermissions({ clients, refuse }: KubernetesRemote, call: Call): Promise<void> {
  for (const client of clients) await checkOne(client, refuse, call);
}

async function checkOne(client: KubernetesClient, refuse: KubernetesRemote["refuse"], call: Call): Promise<void> {
  const { namespace, context } = await client.where(call);
  const answers = await Promise.all(
    PERMISSIONS.map(async (permission) => ({ permission, allowed: await client.isAllowed(call, permission) })),
  );
  const missing = answers
    .filter(({ allowed }) => !allowed)
    .map(({ permission: { verb, resource } }) => `${verb} ${resource}`);
  if (missing.length > 0) {
    const message = `the user of the context ${context} may not ${missing.join(", ")} in the namespace ${namespace}`;
    throw refuse("AUTH_ERROR", call.operation, message, {
      hint: "The README of this provider has the Role that it needs.",
    });
  }
  await client.namespace(call);
}
