import { isStoreError, launchId } from "@slipway/control";
import type { Provider } from "@slipway/core";
import { forgetExpiry } from "./expiry.ts";
import type { Session } from "./session.ts";
import { isSystemError } from "./system-error.ts";

/** Forgets the launch of an instance that is known to be gone, so that `reconcile` does not miss it. */
export async function forgetLaunch(
  session: Session,
  provider: Provider,
  key: string,
  instanceId: string,
): Promise<void> {
  const id = launchId({ provider: provider.name, account: "", owner: provider.owner, key });
  try {
    const store = await session.store();
    const lease = await store.acquire(id);
    if (lease === null) return;
    try {
      const record = await store.read(id);
      // Null: whoever confirmed the end has forgotten it already.
      if (record !== null && (record.kind !== "launch" || record.instanceId !== instanceId)) return;
      await forgetExpiry(session.state, id);
      if (record !== null) await store.remove(id);
    } finally {
      await store.release(lease);
    }
  } catch (error) {
    // The instance is gone, which is what was asked for; `reconcile` forgets it once the store can be written to.
    if (!isStoreError(error) && !isSystemError(error)) throw error;
  }
}
