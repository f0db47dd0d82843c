import type { Call } from "@slipway/provider-kit/driver";
import type { KubernetesClient, Permission } from "./client.ts";
import type { KubernetesRemote } from "./remote.ts";

/** All that this provider does in its namespace; the README's Role is made of these. */
export const PERMISSIONS: readonly Permission[] = [
  { verb: "get", resource: "namespaces" },
  { verb: "get", resource: "pods" },
  { verb: "list", resource: "pods" },
  { verb: "create", resource: "pods" },
  { verb: "delete", resource: "pods" },
  // A command over a WebSocket is a GET; newer servers ask for the right to create as well.
  { verb: "get", resource: "pods/exec" },
  { verb: "create", resource: "pods/exec" },
  { verb: "get", resource: "pods/log" },
  { verb: "get", resource: "pods/portforward" },
  { verb: "create", resource: "pods/portforward" },
  { verb: "get", resource: "secrets" },
  { verb: "create", resource: "secrets" },
  { verb: "get", resource: "persistentvolumeclaims" },
  { verb: "list", resource: "persistentvolumeclaims" },
  { verb: "create", resource: "persistentvolumeclaims" },
  { verb: "delete", resource: "persistentvolumeclaims" },
  // By which pods with `terminateBy` end.
  { verb: "create", resource: "jobs", group: "batch" },
  { verb: "delete", resource: "jobs", group: "batch" },
];

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
