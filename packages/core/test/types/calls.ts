// What a provider's type lets its user call and pass.
import type { Instance, ListFilter, SpawnOptions, SpotRequest } from "@slipway/core";
import { same } from "./same.ts";
import { aws, erased, type LambdaInstance, type LocalSnapshot, lambda, local } from "./subject.ts";

export async function exactResults(): Promise<void> {
  same<Awaited<ReturnType<typeof lambda.spawn>>, LambdaInstance>();
  same<Awaited<ReturnType<typeof local.createSnapshot>>, LocalSnapshot>();
  same<Awaited<ReturnType<typeof erased.get>>, Instance | null>();
  const request: SpotRequest = await aws.requestSpotInstance({ key: "k", spot: { maxUsdPerHour: 1 }, region: "r" });
  void request;
}

export function methods(): void {
  void lambda.createVolume({ key: "v", sizeBytes: 1 });
  // @ts-expect-error gpu and volumes make no snapshots
  void lambda.createSnapshot("i", { key: "s" });
  // @ts-expect-error an erased provider has the five methods alone
  void erased.createSnapshot("i", { key: "s" });
  if (erased.capabilities.snapshots) {
    // @ts-expect-error a flag is a value: only a guard narrows
    void erased.createSnapshot("i", { key: "s" });
  }
  // @ts-expect-error a marker beside a capability with methods must not swallow them: no hibernate without it
  void local.hibernate("i");
  void aws.hibernate("i");
}

export function options(region: string | undefined): void {
  void lambda.spawn({ spec: "a10", gpu: { count: 1 }, volumes: [{ id: "v", mountPath: "/data" }] });
  // @ts-expect-error spot is off, in a fresh literal
  void lambda.spawn({ spec: "a10", spot: { maxUsdPerHour: 1 } });
  const held = { spec: "a10", spot: { maxUsdPerHour: 1 } };
  // @ts-expect-error and in a variable, where no excess-property check looks
  void lambda.spawn(held);
  const wide: SpawnOptions<"spot" | "gpu"> = held;
  // @ts-expect-error and in one whose type says that it may be there
  void lambda.spawn(wide);
  void aws.spawn(wide);

  // Inputs take undefined, so that a row's optional column may be passed on.
  void aws.spawn({ region, key: undefined });
  // @ts-expect-error a region where there are none
  void lambda.spawn({ region });
  void lambda.spawn({ region: undefined });
  // @ts-expect-error not an option at all
  void lambda.spawn({ regoin: "us" });
  // @ts-expect-error the old name of the field
  void lambda.spawn({ type: "a10" });
}

export function filters(): void {
  void aws.list({ region: "eu-west-1", keys: ["k"], status: ["running"], owner: "*" });
  // @ts-expect-error no regions to filter by
  void lambda.list({ region: "eu-west-1" });
  const held = { region: "eu-west-1" };
  // @ts-expect-error nor from a variable
  void lambda.list(held);
  // @ts-expect-error unknown status
  void lambda.list({ status: ["up"] });
  // @ts-expect-error no method that takes an id takes a region: ids carry it
  void aws.get("i", { region: "eu-west-1" });
  void aws.get("i", { signal: AbortSignal.timeout(1), timeoutMs: 5 });
  const filter: ListFilter = {};
  void aws.list(filter);
}

export function results(instance: Instance): void {
  // @ts-expect-error outputs are readonly
  instance.status = "running";
  // @ts-expect-error and exact: absent is not undefined
  const bad: Pick<Instance, "region"> = { region: undefined };
  void bad;
  // @ts-expect-error a value that may be absent is not read as if it were there
  const region: string = instance.region;
  void region;
  // @ts-expect-error the key is null where the remote keeps none
  const key: string = instance.key;
  void key;
}

export function spotIsNotGranted(): void {
  // @ts-expect-error requestSpotInstance takes this provider's own options, and it is not warm
  void aws.requestSpotInstance({ warmVolume: "w" });
  // @ts-expect-error volumes and snapshots cost money too: a key is demanded
  void aws.createVolume({ sizeBytes: 1 });
  // @ts-expect-error and for a snapshot
  void aws.createSnapshot("i", {});
}
