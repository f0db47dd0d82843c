import type { Fault, FaultScript } from "@slipway/provider-kit/emulator";
import type { Service } from "./answers.ts";
import { type Market, placeId } from "./capacity.ts";
import { EMULATED_IMAGES } from "./catalogue.ts";
import { canPlace } from "./fixtures.ts";
import { type EmulatedInstance, inspected } from "./inspector.ts";
import { launch } from "./launch.ts";
import { checkedMachine } from "./launch-checks.ts";
import { interruption } from "./spot-interruption.ts";
import type {
  Image,
  InstanceState,
  LaunchTemplate,
  Reason,
  SecurityGroup,
  Snapshot,
  SpotRequest,
  Volume,
} from "./things.ts";
import type { Timeline } from "./timeline.ts";
import { beginEnd, LAUNCH_FAILED, patchInstance, type Scene, turnInstance } from "./transitions.ts";
import { allAt, type CostEntry, type Region, type World } from "./world.ts";

/** One request and how it ended. */
export interface SeenRequest {
  /** The action, as `RunInstances`. */
  readonly operation: string;
  /** The method of the contract that makes such requests, where there is one. */
  readonly serves: string | null;
  readonly service: Service;
  readonly region: string;
  /** 0 for a broken connection. */
  readonly status: number;
  /** The code of an error, or how the connection broke. */
  readonly code: string | null;
  /** How many instances it names. */
  readonly ids: number;
  readonly at: number;
}

type Placed<T> = T & { readonly region: string };

/** For tests: looks at the remote and changes it without a request. Instances are named `region/i-…` or `i-…`. */
export interface Ec2EmulatorControl {
  readonly faults: FaultScript;
  /** Can such a fault stand there as EC2 would show it? */
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
  readonly instances: () => readonly EmulatedInstance[];
  readonly volumes: () => readonly Placed<Volume>[];
  readonly snapshots: () => readonly Placed<Snapshot>[];
  /** The account's own. */
  readonly images: () => readonly Placed<Image>[];
  readonly securityGroups: () => readonly Placed<SecurityGroup>[];
  readonly launchTemplates: () => readonly Placed<LaunchTemplate>[];
  readonly spotRequests: () => readonly Placed<SpotRequest>[];
  /** An instance that Slipway did not make; answers its id. */
  readonly addUnmanaged: (name?: string) => string;
  readonly hasUnmanaged: (nativeId: string) => boolean;
  /** A running machine ends by itself. */
  readonly crash: (nativeId: string) => void;
  /** EC2 takes a spot instance back, after so long a notice; two minutes. */
  readonly interrupt: (nativeId: string, noticeMs?: number) => void;
  /** Any state from now on; nothing follows of itself. */
  readonly setState: (nativeId: string, state: InstanceState, reason?: Reason) => void;
  /** Termination protection. */
  readonly protect: (nativeId: string, on: boolean) => void;
  /** How many instances a zone holds at most of a type. */
  readonly setCapacity: (
    place: { readonly zone: string; readonly type: string; readonly market?: Market },
    instances: number,
  ) => void;
  readonly setQuota: (where: { readonly region: string; readonly market: Market }, vcpus: number) => void;
  readonly setSpotPrice: (zone: string, type: string, usdPerHour: number) => void;
  /** A zone's control plane does not answer, until it is set right. */
  readonly setImpaired: (zone: string, impaired: boolean) => void;
  readonly addCost: (entry: CostEntry) => void;
  /** Actions for which the account has no permission. */
  readonly denied: Set<string>;
  /** Every request so far. */
  readonly requests: readonly SeenRequest[];
  /** Rises with every change. */
  readonly changes: () => number;
}

export function newControl(world: World, faults: FaultScript, requests: readonly SeenRequest[]): Ec2EmulatorControl {
  const unmanagedIds = new Set<string>();
  const scene = (region: Region): Scene => ({ world, region, now: world.clock.now() });
  const everywhere = <T extends object>(
    of: (region: Region) => ReadonlyMap<string, Timeline<T>>,
  ): readonly Placed<T>[] =>
    [...world.regions.values()].flatMap((region) =>
      allAt(of(region), world.clock.now()).map((thing) => ({ ...thing, region: region.name })),
    );
  const at = (nativeId: string, change: (scene: Scene, id: string) => void): void => {
    const id = nativeId.split("/").at(-1) ?? nativeId;
    for (const region of world.regions.values()) if (region.instances.has(id)) change(scene(region), id);
  };
  const regionOfZone = (zone: string): Region | undefined =>
    [...world.regions.values()].find(({ zones }) => zones.includes(zone));
  return {
    faults,
    requests,
    denied: world.denied,
    supports: (fault) => canPlace(fault, world.settings.readLagMs),
    changes: () => world.changes,
    instances: () =>
      [...world.regions.values()].flatMap((region) =>
        allAt(region.instances, world.clock.now()).map((one) => inspected(region.name, one)),
      ),
    volumes: () => everywhere((region) => region.volumes),
    snapshots: () => everywhere((region) => region.snapshots),
    images: () => everywhere((region) => region.images).filter(({ isPublic }) => !isPublic),
    securityGroups: () => everywhere((region) => region.groups),
    launchTemplates: () => everywhere((region) => region.templates),
    spotRequests: () => everywhere((region) => region.spotRequests),
    addUnmanaged: (name = "made-by-hand") => {
      const nativeId = addUnmanaged(world, name);
      unmanagedIds.add(nativeId);
      return nativeId;
    },
    hasUnmanaged: (nativeId) => {
      const [name = "", id = ""] = nativeId.split("/");
      const one = world.regions.get(name)?.instances.get(id)?.at(world.clock.now());
      return unmanagedIds.has(nativeId) && one?.state === "running";
    },
    crash: (nativeId) =>
      at(nativeId, (where, id) => {
        const one = where.region.instances.get(id)?.at(where.now);
        const turn = one ? beginEnd(where, one, { reason: LAUNCH_FAILED, takesMs: 0 }) : [];
        if (turn.length > 0) turnInstance(where, id, turn);
      }),
    interrupt: (nativeId, noticeMs = 120_000) => at(nativeId, (where, id) => interruption(where, id, noticeMs)),
    setState: (nativeId, state, reason) =>
      at(nativeId, (where, id) => turnInstance(where, id, [{ inMs: 0, patch: { state, reason: reason ?? null } }])),
    protect: (nativeId, on) => at(nativeId, (where, id) => patchInstance(where, id, { protected: on })),
    setCapacity: ({ zone, type, market = "on-demand" }, instances) => {
      regionOfZone(zone)?.capacity.set(placeId(zone, type, market), instances);
    },
    setQuota: ({ region, market }, vcpus) => {
      world.regions.get(region)?.quotas.set(market, vcpus);
    },
    setSpotPrice: (zone, type, usdPerHour) => {
      regionOfZone(zone)?.spotPrices.set(`${zone} ${type}`, usdPerHour);
    },
    setImpaired: (zone, impaired) => {
      const zones = regionOfZone(zone)?.impaired;
      if (impaired) zones?.add(zone);
      else zones?.delete(zone);
    },
    addCost: (entry) => void world.costs.push(entry),
  };
}

function addUnmanaged(world: World, name: string): string {
  const [region] = world.regions.values();
  const [image] = EMULATED_IMAGES;
  if (region === undefined || image === undefined) throw new Error("the emulator has no region");
  const now = world.clock.now();
  const call = { world, region, now, seenAt: now, raw: null, endDryRun: () => undefined };
  const tags = [
    {
      ResourceType: "instance",
      Tag: [
        { Key: "Name", Value: name },
        { Key: "team", Value: "somebody" },
      ],
    },
  ];
  const request = { ImageId: image.id, InstanceType: "t3.micro", TagSpecification: tags };
  const wanted = { min: 1, max: 1, clientToken: "", templateId: null };
  const before = world.changes;
  const [made] = launch(call, checkedMachine(call, request), wanted);
  if (made === undefined) throw new Error("the emulator has no capacity for an unmanaged machine");
  turnInstance({ world, region, now }, made.id, [{ inMs: 0, patch: { state: "running" } }]);
  world.changes = before;
  return `${region.name}/${made.id}`;
}
