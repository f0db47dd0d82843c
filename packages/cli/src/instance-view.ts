import type { Clock, Instance, InstanceStatus } from "@slipway/core";
import type { Column } from "./output.ts";
import { shellCommand, type Tone } from "./printable.ts";
import { formatByteSize, formatDuration } from "./quantities.ts";
import { spentOn, usd } from "./spent.ts";

const TONES: Readonly<Record<InstanceStatus, Tone>> = {
  pending: "warn",
  running: "good",
  stopping: "warn",
  stopped: "quiet",
  hibernated: "quiet",
  terminating: "warn",
  terminated: "quiet",
  error: "bad",
  unknown: "warn",
};

/** The table of `list`. The provider has a column where there may be several. */
export function instanceColumns(clock: Clock, severalProviders: boolean): readonly Column<Instance>[] {
  const provider: Column<Instance> = { title: "PROVIDER", text: (one) => one.provider };
  return [
    { title: "ID", text: (one) => one.id },
    { title: "KEY", text: (one) => one.key ?? "" },
    ...(severalProviders ? [provider] : []),
    { title: "STATUS", text: (one) => one.status, tone: (one) => TONES[one.status] },
    { title: "SPEC", text: (one) => one.spec ?? resourcesOf(one) ?? "" },
    { title: "ADDRESS", text: (one) => addressOf(one) ?? "" },
    { title: "$/H", text: (one) => (one.price === undefined ? "" : usd(one.price.usdPerHour)) },
    { title: "AGE", text: (one) => (one.createdAt === null ? "" : since(one.createdAt, clock)) },
    { title: "EXPIRES", text: (one) => (one.expiresAt === undefined ? "" : until(one.expiresAt, clock)) },
  ];
}

/** The fields of one instance, for a person. */
export function instanceFields(one: Instance, clock: Clock): readonly (readonly [string, string | undefined])[] {
  const { ssh, bootstrap, statusReason, expiresAt } = one;
  const labels = Object.entries(one.labels).map(([name, value]) => `${name}=${value}`);
  return [
    ["id", one.id],
    ["key", one.key ?? undefined],
    ["provider", one.provider],
    [
      "status",
      statusReason === undefined ? one.status : `${one.status} (${statusReason.code}: ${statusReason.message})`,
    ],
    [
      "bootstrap",
      bootstrap && `${bootstrap.state}${bootstrap.exitCode === undefined ? "" : `, exit ${bootstrap.exitCode}`}`,
    ],
    ["place", [one.region, one.zone].filter((part) => part !== undefined).join(" / ")],
    ["spec", one.spec],
    ["image", one.image],
    ["resources", resourcesOf(one)],
    ["address", addressOf(one)],
    ["ssh", ssh && `${ssh.user}@${ssh.host} port ${ssh.port}`],
    ["spot", one.isSpot ? "yes" : undefined],
    ["labels", labels.join(" ")],
    ["created", one.createdAt === null ? undefined : `${one.createdAt} (${since(one.createdAt, clock)} ago)`],
    ["expires", expiresAt && `${expiresAt} (${until(expiresAt, clock)}); \`slipway reap\` terminates what has expired`],
    ["price", priceOf(one)],
    ["spent", spentText(one, clock)],
  ];
}

function spentText(one: Instance, clock: Clock): string | undefined {
  const spent = spentOn(one, clock);
  return spent === undefined ? undefined : `about $${usd(spent)} so far, at that price`;
}

/** What an hour costs, with where the number comes from. */
export function priceOf({ price }: Pick<Instance, "price">): string {
  if (price === undefined) return "not known";
  return `$${usd(price.usdPerHour)} per hour (${price.source}, as of ${price.asOf})`;
}

/** The command that ends it, as it can be pasted. */
export function terminateCommand(one: Instance, defaultProvider: string): string {
  const provider = one.provider === defaultProvider ? [] : ["--provider", one.provider];
  return shellCommand(["slipway", "terminate", ...provider, ...(one.id.startsWith("-") ? ["--"] : []), one.id]);
}

/** The command that shows what was made under the key, by name of a provider that `list` may not ask otherwise. */
export function listCommand(provider: string, key: string, defaultProvider: string): string {
  const named = provider === defaultProvider ? [] : ["--provider", provider];
  return shellCommand(["slipway", "list", ...named, "--key", key]);
}

function since(time: string, clock: Clock): string {
  return formatDuration(clock.now() - Date.parse(time));
}

function until(time: string, clock: Clock): string {
  const left = Date.parse(time) - clock.now();
  return left <= 0 ? `expired ${formatDuration(-left)} ago` : `in ${formatDuration(left)}`;
}

function addressOf({ addresses }: Instance): string | undefined {
  return addresses.publicIpv4 ?? addresses.ipv6 ?? addresses.privateIpv4;
}

export function resourcesOf({ resources }: Pick<Instance, "resources">): string | undefined {
  if (resources === undefined) return undefined;
  const { cpus, memoryBytes, diskBytes, gpus } = resources;
  const parts = [
    cpus === undefined ? undefined : `${cpus} cpu`,
    memoryBytes === undefined ? undefined : formatByteSize(memoryBytes),
    diskBytes === undefined ? undefined : `${formatByteSize(diskBytes)} disk`,
    gpus === undefined ? undefined : `${gpus.count}x ${gpus.type}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ") || undefined;
}
