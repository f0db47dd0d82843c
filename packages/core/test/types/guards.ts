// supports and assertSupports: what they unlock, and what they refuse to believe.
import { assertSupports, type Capability, type Provider, supports } from "@slipway/core";
import { same } from "./same.ts";
import {
  type AwsProvider,
  type AwsSnapshot,
  aws,
  erased,
  type LambdaProvider,
  type LocalProvider,
  type LocalSnapshot,
  lambda,
  local,
} from "./subject.ts";

export function unlocks(): void {
  if (supports(erased, "snapshots", "spot")) {
    void erased.createSnapshot("i", { key: "s" });
    void erased.spawn({ fromSnapshot: "s", spot: {} });
    // @ts-expect-error only what was named
    void erased.hibernate("i");
  } else {
    void erased.spawn({});
    // @ts-expect-error nothing was proven here
    void erased.createSnapshot("i", { key: "s" });
  }
}

export function nested(): void {
  if (!supports(erased, "snapshots")) return;
  if (!supports(erased, "multiRegion")) return;
  // Options of both in one call: not two overloads, of which none takes both.
  void erased.spawn({ fromSnapshot: "s", region: "r" });
  void erased.listRegions();
}

export function asserted(): void {
  assertSupports(erased, "warmVolumes");
  void erased.claimWarmVolume({ pool: "p", instanceId: "i" });
}

export async function keepsTheProvidersOwnTypes(): Promise<void> {
  if (supports(local, "snapshots")) {
    same<Awaited<ReturnType<typeof local.createSnapshot>>, LocalSnapshot>();
    void local.pause("i");
    void local.exec("i", ["ls"]);
  }
  if (supports(local, "spot")) {
    void local.requestSpotInstance({ spot: {} });
    void local.pause("i");
    (await local.spawn({})).isolation.length;
  }
}

// The subtype relation must keep both members of a union: an option that is merely absent would lose one.
export function unions(either: AwsProvider | LambdaProvider, any: Provider | AwsProvider): void {
  if (supports(either, "snapshots")) {
    void either.spawn({ fromSnapshot: "s" });
    void either.terminate("i");
  } else {
    void either.spawn({});
  }
  if (supports(either, "hibernation")) {
    const both: Provider = either;
    void both;
    // @ts-expect-error Lambda is still among them, and has no regions
    void either.spawn({ region: "r" });
  }
  if (supports(any, "snapshots")) {
    void any.createSnapshot("i", { key: "s" });
    // @ts-expect-error the erased member is still there: nobody proved regions
    void any.listRegions();
  }
}

export function unproven(names: Capability[], one: "snapshots" | "spot", single: Capability): void {
  // @ts-expect-error an open array proves nothing
  supports(erased, ...names);
  // @ts-expect-error at least one name
  supports(erased);
  // @ts-expect-error misspelt
  supports(erased, "snapshot");
  if (supports(erased, one)) {
    // @ts-expect-error which of the two is true is not known
    void erased.createSnapshot("i", { key: "s" });
  } else {
    void erased.spawn({});
  }
  if (supports(erased, single)) {
    // @ts-expect-error nor here
    void erased.createSnapshot("i", { key: "s" });
  }
  // A name from input is read as a value.
  const on: boolean | undefined = erased.capabilities[single];
  void on;
}

export function requirement(): void {
  const archive = (provider: Provider<never, never, never> | Provider): void => void provider;
  archive(aws);
  const needsSnapshots = (provider: Parameters<typeof takesSnapshots>[0]): void => void provider;
  needsSnapshots(aws);
  needsSnapshots(local);
  // @ts-expect-error no snapshots
  needsSnapshots(lambda);
  // @ts-expect-error not proven
  needsSnapshots(erased);
  if (supports(erased, "snapshots")) needsSnapshots(erased);
}
declare function takesSnapshots(
  provider: Provider<import("@slipway/core").Instance, import("@slipway/core").Snapshot, "snapshots">,
): AwsSnapshot;

export type { LocalProvider };
