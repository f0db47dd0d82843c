// Layers keep the exact type, restrict takes capabilities away, projection erases what is a provider's own.
import {
  type AddingLayer,
  type Instance,
  type Layer,
  layer,
  type Projected,
  projectProvider,
  restrict,
  type Snapshot,
} from "@slipway/core";
import { same } from "./same.ts";
import { aws, erased, type LambdaProvider, type LocalInstance, lambda, local } from "./subject.ts";

export function layers(tracing: Layer, idempotent: AddingLayer<"idempotentSpawn">): void {
  same<ReturnType<typeof tracing<LambdaProvider>>, LambdaProvider>();
  void tracing(local).pause("i");
  layer((_call, next) => next())(aws).createSnapshot("i", { key: "s" });

  const added = idempotent(lambda);
  const needs = (provider: import("@slipway/core").Provider<Instance, Snapshot, "idempotentSpawn">): void =>
    void provider;
  needs(added);
  void added.createVolume({ key: "v", sizeBytes: 1 });
  // @ts-expect-error without the layer
  needs(lambda);
}

export async function restricted(): Promise<void> {
  const plain = restrict(aws, "spot", "multiRegion");
  void plain.createSnapshot("i", { key: "s" });
  // @ts-expect-error taken away
  void plain.requestSpotInstance({});
  // @ts-expect-error and its option
  void plain.spawn({ spot: {} });
  // @ts-expect-error and the filter's
  void plain.list({ region: "r" });
  (await plain.spawn({})).amiId.length;
  void restrict(local, "snapshots").pause("i");
}

export async function projected(): Promise<void> {
  const plain = projectProvider(local);
  same<typeof plain, Projected<typeof local>>();
  same<Awaited<ReturnType<typeof plain.spawn>>, Instance>();
  void plain.exec("i", ["ls"]);
  void plain.createSnapshot("i", { key: "s" });
  // @ts-expect-error an enhanced method is gone
  void plain.pause("i");
  // @ts-expect-error and so is the provider's own field
  const own: LocalInstance = await plain.spawn({});
  void own;
  // @ts-expect-error one that has no logs gets none
  void projectProvider(aws).logs("i");
  void projectProvider(erased).spawn({});
}
