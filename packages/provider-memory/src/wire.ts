import * as z from "zod/mini";

/** Who a thing belongs to; nobody of ours if there is none. */
interface WireTag {
  readonly owner: string;
  readonly key: string;
}

/** One page of a listing; `next` is null on the last. */
export interface WirePage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

type Reads<T> = z.ZodMiniType<T>;

// What the remote answers, as far as this client reads it: tolerant of fields that it does not know.
const tag = z.nullable(z.object({ owner: z.string(), key: z.string() }));

export interface WireMachine {
  readonly id: string;
  readonly region: string;
  readonly zone: string;
  readonly name: string;
  readonly title: string | null;
  readonly tag: WireTag | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly reason: { readonly code: string; readonly text: string } | null;
  readonly generation: number;
  readonly spec: string;
  readonly image: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpu: { readonly type: string; readonly count: number } | null;
  readonly spot: boolean;
  readonly suspendable: boolean;
  readonly usdPerHour: number | null;
  readonly createdAt: number;
  readonly expiresAt: string | null;
  readonly terminateBy: string | null;
  readonly publicIp: string | null;
  readonly privateIp: string | null;
  readonly boot: { readonly checksum: string; readonly phase: string; readonly exitCode: number | null } | null;
  readonly ports: readonly { readonly port: number; readonly protocol: string; readonly hostPort: number }[];
  readonly sshKeys: readonly string[];
  readonly disks: readonly { readonly id: string; readonly path: string }[];
  readonly capture: string | null;
  readonly tailnet: { readonly hostname: string; readonly tags: readonly string[] } | null;
  readonly network: {
    readonly id: string | null;
    readonly subnet: string | null;
    readonly firewalls: readonly string[];
    readonly isolated: boolean;
  } | null;
}

export const machine: Reads<WireMachine> = z.object({
  id: z.string(),
  region: z.string(),
  zone: z.string(),
  name: z.string(),
  title: z.nullable(z.string()),
  tag,
  labels: z.record(z.string(), z.string()),
  state: z.string(),
  reason: z.nullable(z.object({ code: z.string(), text: z.string() })),
  generation: z.number(),
  spec: z.string(),
  image: z.string(),
  cpus: z.number(),
  memoryBytes: z.number(),
  diskBytes: z.number(),
  gpu: z.nullable(z.object({ type: z.string(), count: z.number() })),
  spot: z.boolean(),
  suspendable: z.boolean(),
  usdPerHour: z.nullable(z.number()),
  createdAt: z.number(),
  expiresAt: z.nullable(z.string()),
  terminateBy: z.nullable(z.string()),
  publicIp: z.nullable(z.string()),
  privateIp: z.nullable(z.string()),
  boot: z.nullable(z.object({ checksum: z.string(), phase: z.string(), exitCode: z.nullable(z.number()) })),
  ports: z.array(z.object({ port: z.number(), protocol: z.string(), hostPort: z.number() })),
  sshKeys: z.array(z.string()),
  disks: z.array(z.object({ id: z.string(), path: z.string() })),
  capture: z.nullable(z.string()),
  tailnet: z.nullable(z.object({ hostname: z.string(), tags: z.array(z.string()) })),
  network: z.nullable(
    z.object({
      id: z.nullable(z.string()),
      subnet: z.nullable(z.string()),
      firewalls: z.array(z.string()),
      isolated: z.boolean(),
    }),
  ),
});

export interface WireDisk {
  readonly id: string;
  readonly region: string;
  readonly zone: string;
  readonly tag: WireTag | null;
  readonly state: string;
  readonly sizeBytes: number;
  readonly pool: string | null;
  readonly machine: string | null;
  readonly createdAt: number;
}

export const disk: Reads<WireDisk> = z.object({
  id: z.string(),
  region: z.string(),
  zone: z.string(),
  tag,
  state: z.string(),
  sizeBytes: z.number(),
  pool: z.nullable(z.string()),
  machine: z.nullable(z.string()),
  createdAt: z.number(),
});

export interface WireCapture {
  readonly id: string;
  readonly region: string;
  readonly title: string | null;
  readonly tag: WireTag | null;
  readonly state: string;
  readonly machine: string;
  readonly sizeBytes: number;
  readonly createdAt: number;
}

export const capture: Reads<WireCapture> = z.object({
  id: z.string(),
  region: z.string(),
  title: z.nullable(z.string()),
  tag,
  state: z.string(),
  machine: z.string(),
  sizeBytes: z.number(),
  createdAt: z.number(),
});

export interface WireBid {
  readonly id: string;
  readonly region: string;
  readonly state: string;
  readonly machine: string | null;
}

export const bid: Reads<WireBid> = z.object({
  id: z.string(),
  region: z.string(),
  state: z.string(),
  machine: z.nullable(z.string()),
});

export interface WireCatalogue {
  readonly zones: readonly string[];
  readonly specs: readonly {
    readonly name: string;
    readonly usdPerHour: number | null;
    readonly spotUsdPerHour: number | null;
  }[];
  readonly at: number;
}

export const catalogue: Reads<WireCatalogue> = z.object({
  zones: z.array(z.string()),
  specs: z.array(
    z.object({ name: z.string(), usdPerHour: z.nullable(z.number()), spotUsdPerHour: z.nullable(z.number()) }),
  ),
  at: z.number(),
});

export interface WireUsage {
  readonly machine: string;
  readonly region: string;
  readonly spec: string;
  readonly usdPerHour: number;
  readonly from: number;
  readonly to: number;
}

export const usage: Reads<{ readonly entries: readonly WireUsage[]; readonly at: number }> = z.object({
  entries: z.array(
    z.object({
      machine: z.string(),
      region: z.string(),
      spec: z.string(),
      usdPerHour: z.number(),
      from: z.number(),
      to: z.number(),
    }),
  ),
  at: z.number(),
});

export interface WireAccount {
  readonly regions: readonly { readonly id: string; readonly name: string; readonly zones: readonly string[] }[];
}

export const account: Reads<WireAccount> = z.object({
  regions: z.array(z.object({ id: z.string(), name: z.string(), zones: z.array(z.string()) })),
});

export const consoleLines: Reads<{ readonly lines: readonly string[]; readonly ended: boolean }> = z.object({
  lines: z.array(z.string()),
  ended: z.boolean(),
});

export interface WireNode {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly image: string;
  readonly address: string | null;
  readonly hostPort: number | null;
  readonly createdAt: number;
}

export const node: Reads<WireNode> = z.object({
  id: z.string(),
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  state: z.string(),
  image: z.string(),
  address: z.nullable(z.string()),
  hostPort: z.nullable(z.number()),
  createdAt: z.number(),
});
export const nodes: Reads<{ readonly items: readonly WireNode[] }> = z.object({ items: z.array(node) });
export const nodeRun: Reads<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> = z.object(
  { exitCode: z.number(), stdout: z.string(), stderr: z.string() },
);

export const machinePage: Reads<WirePage<WireMachine>> = z.object({
  items: z.array(machine),
  next: z.nullable(z.string()),
});
export const diskPage: Reads<WirePage<WireDisk>> = z.object({ items: z.array(disk), next: z.nullable(z.string()) });
export const capturePage: Reads<WirePage<WireCapture>> = z.object({
  items: z.array(capture),
  next: z.nullable(z.string()),
});
/** The answer says nothing beyond having come. */
export const anything: Reads<unknown> = z.unknown();
