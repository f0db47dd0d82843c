import { rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { Admin } from "./admin.ts";

const SHARED_VOLUMES = 40;
const STORAGE = "apis/storage.k8s.io/v1/storageclasses";

/**
 * Two classes of storage, which are folders of this machine: `standard` for claims that name no class, made by the
 * controller manager's own provisioner; and `shared-vast`, as CoreWeave has it, for claims of many pods, made here before
 * anybody asks, since that provisioner makes none of this kind.
 */
export async function addStorage(admin: Admin, folder: string): Promise<void> {
  const make = async (collection: string, body: object): Promise<void> => {
    const { status, text } = await admin.request("POST", collection, body);
    if (status !== 201) throw new Error(text);
  };
  const kind = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
  const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  await make(STORAGE, { ...kind, metadata: { name: "standard", annotations }, provisioner: "kubernetes.io/host-path" });
  await make(STORAGE, { ...kind, metadata: { name: "shared-vast" }, provisioner: "kubernetes.io/no-provisioner" });
  const spec = { storageClassName: "shared-vast", accessModes: ["ReadWriteMany"], capacity: { storage: "1Gi" } };
  const names = Array.from({ length: SHARED_VOLUMES }, (_, at) => `shared-${at}`);
  await Promise.all(
    names.map((name) =>
      make("api/v1/persistentvolumes", {
        ...{ apiVersion: "v1", kind: "PersistentVolume", metadata: { name } },
        spec: { ...spec, hostPath: { path: path.join(folder, name), type: "DirectoryOrCreate" } },
      }),
    ),
  );
}

const volumes = z.object({
  items: z.array(z.object({ spec: z.object({ hostPath: z.object({ path: z.string() }).optional() }) })),
});

/** The provisioner removes a folder with its volume; those of volumes that are still there are ours to remove. */
export async function removeFoldersOfVolumes(admin: Admin): Promise<void> {
  const { json } = await admin.request("GET", "api/v1/persistentvolumes");
  for (const { spec } of volumes.parse(json).items) {
    if (spec.hostPath !== undefined) await rm(spec.hostPath.path, { recursive: true, force: true });
  }
}
