import type { Call } from "@slipway/provider-kit/driver";
import type { KubernetesClient, Permission } from "./client.ts";
import { refusal } from "./remote.ts";

/** All that this provider does in its namespace; the README's Role is made of these. */
export const PERMISSIONS: readonly Permission[] = [
  { verb: "get", resource: "namespaces" },
  { verb: "get", resource: "pods" },
  { verb: "list", resource: "pods" },
  { verb: "create", resource: "pods" },
  { verb: "delete", resource: "pods" },
  { verb: "get", resource: "secrets" },
  { verb: "create", resource: "secrets" },
  { verb: "get", resource: "persistentvolumeclaims" },
  { verb: "list", resource: "persistentvolumeclaims" },
  { verb: "create", resource: "persistentvolumeclaims" },
  { verb: "delete", resource: "persistentvolumeclaims" },
];

/** Throws what is missing: the namespace, or a permission in it. Nothing is stored by asking. */
export async function checkPermissions(client: KubernetesClient, call: Call): Promise<void> {
  const { namespace, context } = await client.where(call);
  const answers = await Promise.all(
    PERMISSIONS.map(async (permission) => ({ permission, allowed: await client.isAllowed(call, permission) })),
  );
  const missing = answers
    .filter(({ allowed }) => !allowed)
    .map(({ permission: { verb, resource } }) => `${verb} ${resource}`);
  if (missing.length > 0) {
    const message = `the user of the context ${context} may not ${missing.join(", ")} in the namespace ${namespace}`;
    throw refusal("AUTH_ERROR", call.operation, message, {
      hint: "The README of this provider has the Role that it needs.",
    });
  }
  await client.namespace(call);
}
