import {
  type BootstrapConfig,
  type BootstrapScript,
  type Capability,
  nameFor,
  type SpawnOptions,
  specHash,
} from "@slipway/core";
import { renderBootstrap } from "@slipway/provider-kit/bootstrap";
import * as z from "zod/mini";
import { configuredRegion, type MemoryContext, PROVIDER, refusal } from "./context.ts";
import { type IdKind, parseId } from "./ids.ts";
import type { CreateMachine } from "./world/machines.ts";

/** Where a request goes, and what is in it. Both are fixed before anything is sent. */
export interface MachineRequest {
  readonly region: string;
  readonly body: CreateMachine;
}

// Core has looked at the base options; these belong to capabilities, and a field that nobody reads must not be given.
const text = z.string().check(z.minLength(1));
const NESTED = {
  spot: z.strictObject({ maxUsdPerHour: z.optional(z.number().check(z.positive())) }),
  gpu: z.strictObject({ type: z.optional(text), count: z.number() }),
  tailscale: z.strictObject({ authKey: text, hostname: z.optional(text), tags: z.optional(z.array(text)) }),
  network: z.strictObject({
    id: z.optional(text),
    subnet: z.optional(text),
    firewalls: z.optional(z.array(text)),
    isolated: z.optional(z.boolean()),
  }),
  volumes: z.array(z.strictObject({ id: text, mountPath: z.string() })),
};
const RESERVED = "slipway:";

export function machineRequest(
  context: MemoryContext,
  operation: string,
  given: SpawnOptions<Capability> & { readonly key?: string | undefined },
): MachineRequest {
  checkNested(operation, given);
  checkLabels(operation, given.labels ?? {});
  // Core gives every spawn a key before it comes here.
  const key = given.key ?? crypto.randomUUID();
  const options = withRendered(context, operation, given);
  const region = regionFor(context, operation, options);
  const { bootstrap, tailscale, network, spot } = options;
  const body: CreateMachine = {
    tag: { owner: context.owner, key },
    name: nameFor(context.owner, key),
    title: options.name ?? null,
    fingerprint: fingerprintOf(options),
    spec: options.spec,
    resources: options.resources,
    gpu: options.gpu,
    image: options.image ?? null,
    labels: options.labels ?? {},
    spot: spot === undefined ? null : { maxUsdPerHour: spot.maxUsdPerHour ?? null },
    suspendable: options.hibernation === true,
    maxUsdPerHour: options.maxUsdPerHour ?? null,
    expiresAt: options.expiresAt ?? null,
    terminateBy: options.terminateBy ?? null,
    userData:
      bootstrap === undefined
        ? null
        : {
            base64: Buffer.from(bootstrap.content, "utf8").toString("base64"),
            format: bootstrap.format,
            checksum: bootstrap.checksum,
          },
    ports: (options.ports ?? []).map(({ port, protocol, hostPort }) => ({
      port,
      protocol: protocol ?? "tcp",
      hostPort: hostPort ?? null,
    })),
    sshKeys: options.sshKeys ?? [],
    disks: (options.volumes ?? []).map(({ id, mountPath }) => ({
      id: nativeIn(operation, region, id, "memdisk"),
      path: mountPath,
    })),
    warmDisk:
      options.warmVolume === undefined
        ? null
        : (parseId(options.warmVolume, "memdisk")?.nativeId ?? options.warmVolume),
    capture: options.fromSnapshot === undefined ? null : nativeIn(operation, region, options.fromSnapshot, "memcap"),
    tailnet:
      tailscale === undefined
        ? null
        : { authKey: tailscale.authKey, hostname: tailscale.hostname ?? null, tags: tailscale.tags ?? [] },
    network:
      network === undefined
        ? null
        : {
            id: network.id ?? null,
            subnet: network.subnet ?? null,
            firewalls: network.firewalls ?? [],
            isolated: network.isolated ?? false,
          },
  };
  return { region, body };
}

function withRendered(context: MemoryContext, operation: string, given: SpawnOptions<Capability>) {
  const { bootstrap: asked, ...options } = given;
  if (asked === undefined) return { ...options, bootstrap: undefined };
  const bootstrap = "content" in asked ? asked : render(asked, operation);
  if (bootstrap.byteLength > context.maxUserDataBytes) {
    const sizes = `${bootstrap.byteLength} bytes, above the ${context.maxUserDataBytes} that memory takes`;
    throw refusal(operation, "INVALID_SPEC", `bootstrap has ${sizes}`);
  }
  return { ...options, bootstrap };
}

/** What a repeated key compares. The tailnet's key rotates, as the registration token does. */
function fingerprintOf(options: ReturnType<typeof withRendered>): string {
  const { key: _isNoSpec, ...spec } = options;
  if (spec.tailscale === undefined) return specHash(spec);
  const { authKey: _rotates, ...tailscale } = spec.tailscale;
  return specHash({ ...spec, tailscale } as SpawnOptions);
}

/** The region asked for, or that of the things that the request is made of. */
function regionFor(context: MemoryContext, operation: string, options: SpawnOptions<Capability>): string {
  const parts = [
    options.fromSnapshot === undefined ? null : parseId(options.fromSnapshot, "memcap"),
    ...(options.volumes ?? []).map(({ id }) => parseId(id, "memdisk")),
    options.warmVolume === undefined ? null : parseId(options.warmVolume, "memdisk"),
  ];
  const implied = parts.find((part) => part !== null && part.region !== null)?.region ?? undefined;
  return configuredRegion(context, operation, options.region ?? implied);
}

function nativeIn(operation: string, region: string, id: string, kind: IdKind): string {
  const parsed = parseId(id, kind);
  if (parsed === null) throw refusal(operation, "NOT_FOUND", `there is no ${JSON.stringify(id)}`);
  if (parsed.region !== null && parsed.region !== region) {
    throw refusal(operation, "INVALID_SPEC", `${id} is not in ${region}, where the instance shall be`);
  }
  return parsed.nativeId;
}

function checkNested(operation: string, options: SpawnOptions<Capability>): void {
  for (const [name, schema] of Object.entries(NESTED)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined) continue;
    const parsed = schema.safeParse(value);
    const issue = parsed.error?.issues[0];
    if (issue !== undefined) {
      const where = [name, ...issue.path].join(".");
      throw refusal(operation, "INVALID_SPEC", `${where}: ${issue.message}`);
    }
  }
  const volumes = options.volumes ?? [];
  for (const field of ["id", "mountPath"] as const) {
    if (new Set(volumes.map((volume) => volume[field])).size < volumes.length) {
      throw refusal(operation, "INVALID_SPEC", `volumes name the same ${field} twice`);
    }
  }
}

function checkLabels(operation: string, labels: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(labels).find((name) => name.startsWith(RESERVED));
  if (reserved === undefined) return;
  throw refusal(
    operation,
    "INVALID_SPEC",
    `label ${JSON.stringify(reserved)} begins with ${RESERVED}, which is reserved`,
  );
}

export function render(config: BootstrapConfig, operation = "generateBootstrap"): BootstrapScript {
  return renderBootstrap(config, { format: "shell", provider: PROVIDER, operation });
}
