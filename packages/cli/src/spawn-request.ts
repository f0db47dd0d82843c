import {
  accepts,
  type BaseSpawnOptions,
  type Capability,
  canPlace,
  type GpuOptions,
  isKey,
  type Port,
  type Provider,
  type ResourceOptions,
  type SpawnOptions,
  type VolumeMount,
} from "@slipway/core";
import { bootstrapFrom } from "./bootstrap.ts";
import { CliError } from "./cli-error.ts";
import { readInput } from "./files.ts";
import type { Session } from "./session.ts";
import type { SpawnFlags } from "./spawn-flags.ts";

/** What the user asks for, with any capability's options; which of them the provider has is checked by core. */
export type SpawnRequest = SpawnOptions<Capability> & { readonly key: string };

/** Reads the flags and the files that they name. `expiresAt` is not set here: a repeated key keeps its own. */
export async function spawnRequest(session: Session, flags: SpawnFlags): Promise<SpawnRequest> {
  const key = flags.key ?? crypto.randomUUID();
  if (!isKey(key)) throw badKey(key);
  const bootstrap = await bootstrapFrom(session, flags);
  const request = {
    key,
    ...baseOptions(flags),
    ...(await keysOf(session, flags)),
    ...capabilityOptions(flags),
    ...(await tailscaleOf(session, flags)),
  };
  return { ...withoutUndefined({ ...request, bootstrap }), key };
}

function badKey(key: string): CliError {
  const what = key.length >= 1 && key.length <= 128 ? "holds another character" : `has ${key.length}`;
  return new CliError(
    "INVALID_ARGUMENT",
    `the key must be 1 to 128 printable ASCII characters, and this one ${what}`,
    "Choose a short name, as --key web-1.",
  );
}

/** JSON has no undefined, and a request that is stored and compared is JSON. */
function withoutUndefined<T extends object>(value: T): T {
  // Absent and undefined mean the same in every option's type.
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

function baseOptions(flags: SpawnFlags): BaseSpawnOptions {
  const { name, spec, image, label, maxUsdPerHour, port } = flags;
  const resources: ResourceOptions = withoutUndefined({
    cpus: flags.cpus,
    memoryBytes: flags.memory,
    diskBytes: flags.disk,
  });
  const wanted = Object.keys(resources).length > 0;
  return {
    name,
    spec,
    image,
    labels: label,
    maxUsdPerHour,
    ports: port?.map(portOf),
    resources: wanted ? resources : undefined,
  };
}

function capabilityOptions(flags: SpawnFlags): SpawnOptions<Capability> {
  const { region, fromSnapshot, volume, warmVolume, hibernation, network, subnet, firewall, isolated } = flags;
  const net = withoutUndefined({ id: network, subnet, firewalls: firewall, isolated });
  return {
    region,
    fromSnapshot,
    warmVolume,
    hibernation,
    gpu: flags.gpu === undefined ? undefined : gpuOf(flags.gpu),
    spot: flags.spot === undefined ? undefined : flags.spot === true ? {} : { maxUsdPerHour: flags.spot },
    volumes: volume?.map(volumeOf),
    network: Object.keys(net).length === 0 ? undefined : net,
  };
}

async function keysOf(session: Session, { sshKey }: SpawnFlags): Promise<Pick<BaseSpawnOptions, "sshKeys">> {
  return {
    sshKeys: sshKey === undefined ? undefined : await Promise.all(sshKey.map((text) => publicKey(session, text))),
  };
}

async function publicKey(session: Session, text: string): Promise<string> {
  if (/^(ssh-|ecdsa-|sk-)\S+ \S/.test(text)) return text.trim();
  const content = (await readInput(session.world, text, "the ssh key")).trim();
  // Its content is not shown, and nothing is sent: this one must never leave the machine.
  if (content.includes("PRIVATE KEY")) {
    throw new CliError("INVALID_ARGUMENT", `${text} is a private key`, `Give its public half: --ssh-key ${text}.pub`);
  }
  if (!/^\S+ \S+[^\r\n]*$/.test(content)) {
    throw new CliError(
      "INVALID_ARGUMENT",
      `${text} is not one public key in OpenSSH's form`,
      "Make one: ssh-keygen -t ed25519",
    );
  }
  return content;
}

async function tailscaleOf(session: Session, flags: SpawnFlags): Promise<Pick<SpawnRequest, "tailscale">> {
  const { tailscaleAuthKeyFile: file, tailscaleHostname: hostname, tailscaleTag: tags } = flags;
  if (file === undefined) {
    if (hostname === undefined && tags === undefined) return {};
    throw new CliError("MISSING_ARGUMENT", "--tailscale-hostname and --tailscale-tag need --tailscale-auth-key-file");
  }
  const authKey = (await readInput(session.world, file, "the tailscale key")).trim();
  if (authKey === "") throw new CliError("INVALID_ARGUMENT", `the tailscale key file ${file} is empty`);
  session.secrets.add(authKey);
  return { tailscale: withoutUndefined({ authKey, hostname, tags }) };
}

function gpuOf(text: string | true): GpuOptions {
  const match = /^([^:]*?)(?::(\d+))?$/.exec(text === true ? "" : text);
  const [, type = "", count = "1"] = match ?? [];
  if (match === null || Number(count) < 1) {
    throw new CliError("INVALID_ARGUMENT", "--gpu takes a type, a count or both, as a10, :2 or a10:2");
  }
  return type === "" ? { count: Number(count) } : { type, count: Number(count) };
}

function portOf(text: string): Port {
  const [, host, port, protocol] = /^(?:(\d+):)?(\d+)(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (port === undefined)
    throw new CliError("INVALID_ARGUMENT", "--port takes [host:]port[/udp], as 8080 or 80:8080/tcp");
  return withoutUndefined({
    port: Number(port),
    hostPort: host === undefined ? undefined : Number(host),
    // The expression above has read one of the two words.
    protocol: protocol as "tcp" | "udp" | undefined,
  });
}

function volumeOf(text: string): VolumeMount {
  // Ids may hold colons; a path begins at the last one that a slash follows.
  const at = text.lastIndexOf(":/");
  if (at < 1) throw new CliError("INVALID_ARGUMENT", "--volume takes id:path, as vol-1:/data");
  return { id: text.slice(0, at), mountPath: text.slice(at + 1) };
}

/** Where the user names no region, one that is full is no reason to give up. `exact` is as its package made it. */
export async function placementsFor(
  provider: Provider,
  exact: Provider,
  options: SpawnOptions<Capability>,
): Promise<readonly BaseSpawnOptions[]> {
  if (!canPlace(exact)) return [];
  return (await exact.placements(options)).filter((placement) => accepts(provider, placement));
}

/** Who ends an instance with this `--ttl`: said before it is launched, since the answer may be "only you". */
export function noteExpiry(session: Session, provider: Provider, expiresAt: string | undefined): void {
  if (expiresAt === undefined) return;
  const { name, whyNot } = provider;
  if (provider.capabilities.terminateBy === true) {
    session.output.note(`It expires at ${expiresAt}; 15 minutes later ${name} terminates it, if nothing else has.`);
    return;
  }
  const why = whyNot.terminateBy === undefined ? "" : `: ${whyNot.terminateBy.replace(/\.$/, "")}`;
  session.output.note(
    `It expires at ${expiresAt}. Provider ${name} does not terminate it by itself${why}. ` +
      "Run `slipway reap` after that time, or it goes on running.",
  );
}

/** The request with the time that `--ttl` means; a repeated key keeps its first one. */
export async function withExpiry(
  session: Session,
  provider: Provider,
  request: SpawnRequest,
  { ttl }: Pick<SpawnFlags, "ttl">,
): Promise<SpawnRequest> {
  if (ttl === undefined) return request;
  const { expiryFor } = await import("./expiry.ts");
  return { ...request, expiresAt: await expiryFor(session, provider, request.key, ttl) };
}
