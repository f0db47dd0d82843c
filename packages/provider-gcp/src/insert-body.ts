import type { BootstrapScript, Operation } from "@slipway/core";
import type { SpawnRequest } from "@slipway/provider-kit/driver";
import { reportItems } from "./bootstrap-report.ts";
import { builtInGpus, type Machine, machineFor } from "./machine-type.ts";
import { type NetworkInterface, networkInterface, type Place, placeOfNetwork } from "./network.ts";
import { HIBERNATION_ITEM, ownershipItems, ownershipLabels } from "./ownership.ts";
import { type GcpRemote, type GcpSpawnOptions, refusal } from "./remote.ts";
import { disksOf } from "./volumes.ts";
import { placeOf } from "./zone.ts";

/** What an insert asks for; the provider's request on the wire. */
export interface InsertBody {
  readonly name: string;
  readonly machineType: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: { readonly items: readonly { readonly key: string; readonly value: string }[] };
  readonly disks?: readonly [
    {
      readonly boot: true;
      readonly autoDelete: true;
      readonly initializeParams: {
        readonly diskName: string;
        readonly sourceImage: string;
        readonly diskSizeGb?: string;
        readonly diskType?: string;
        readonly labels: Readonly<Record<string, string>>;
      };
    },
    ...{ readonly source: string; readonly deviceName: string; readonly autoDelete: false }[],
  ];
  readonly networkInterfaces: readonly [NetworkInterface];
  readonly tags?: { readonly items: readonly string[] };
  readonly scheduling: {
    readonly automaticRestart: boolean;
    readonly onHostMaintenance?: "TERMINATE";
    readonly provisioningModel?: "SPOT";
    readonly instanceTerminationAction?: "DELETE" | "STOP";
    readonly terminationTime?: string;
  };
  readonly guestAccelerators?: readonly [{ readonly acceleratorType: string; readonly acceleratorCount: number }];
  readonly serviceAccounts?: readonly [{ readonly email: string; readonly scopes: readonly string[] }];
}

/** What follows from the options alone. */
export interface Prepared {
  readonly zone: string;
  readonly machine: Machine;
  readonly image: string;
  readonly diskGb: number | undefined;
  readonly volumes: ReturnType<typeof disksOf>;
  readonly userData: string | undefined;
  readonly network: Place;
}

/** What Google takes for one item of the metadata, in bytes. */
export const MAX_USER_DATA_BYTES = 262_144;
const MAX_LABELS_BYTES = 65_536;
const GIGABYTE = 1024 ** 3;
const LONGEST_LIFE_MS = 120 * 86_400_000;

/** Checks that need no call, and the place. Throws INVALID_SPEC. */
export function prepare(
  remote: GcpRemote,
  operation: Operation,
  { options, script, key, ownership }: SpawnRequest<GcpSpawnOptions>,
): Prepared {
  const { resources, image = remote.image, sshKeys = [] } = options;
  const volumes = disksOf(remote, operation, options.volumes ?? []);
  const userData = userDataOf(
    script,
    volumes.map(({ name, path }) => ({ device: name, path })),
  );
  const bytes = Buffer.byteLength(userData ?? "");
  if (bytes > MAX_USER_DATA_BYTES) {
    throw refusal("INVALID_SPEC", operation, `bootstrap has ${bytes} bytes, and Google takes ${MAX_USER_DATA_BYTES}`);
  }
  if (Buffer.byteLength(JSON.stringify(ownership.labels)) + Buffer.byteLength(sshKeys.join("\n")) > MAX_LABELS_BYTES) {
    throw refusal("INVALID_SPEC", operation, `labels and sshKeys together have more than ${MAX_LABELS_BYTES} bytes`);
  }
  const machine = machineFor(options, remote.defaultSpec, operation);
  const hasGpu = machine.accelerators !== undefined || builtInGpus(machine.type) !== undefined;
  if (options.hibernation === true && hasGpu) {
    throw refusal("INVALID_SPEC", operation, "hibernation: Google suspends no machine with accelerators");
  }
  checkTerminateBy(remote, operation, options);
  if (options.fromSnapshot !== undefined) {
    // The disks are the snapshot's.
    const given = { image: options.image, volumes: options.volumes, "resources.diskBytes": resources?.diskBytes };
    const other = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
    if (other !== undefined) throw refusal("INVALID_SPEC", operation, `fromSnapshot and ${other} exclude each other`);
  }
  const asked =
    resources?.diskBytes === undefined ? undefined : Math.max(10, Math.ceil(resources.diskBytes / GIGABYTE));
  return {
    zone: placeOf(remote, operation, key, options, volumes[0]?.zone),
    machine,
    image: imagePath(image, operation),
    diskGb: asked ?? remote.bootDisk.sizeGb,
    volumes,
    userData,
    network: placeOfNetwork(remote, operation, options.network),
  };
}

/** The nearest time that Google takes is told by Google: a repeated key is still found shortly before its end. */
function checkTerminateBy({ clock }: GcpRemote, operation: Operation, options: GcpSpawnOptions): void {
  const { terminateBy, hibernation } = options;
  if (terminateBy === undefined) return;
  if (hibernation === true) {
    throw refusal("INVALID_SPEC", operation, "terminateBy: Google forgets the time of an instance that is suspended", {
      hint: "Give either terminateBy or hibernation; `launch` sets terminateBy where expiresAt is given.",
    });
  }
  if (Date.parse(terminateBy) - clock.now() > LONGEST_LIFE_MS) {
    throw refusal("INVALID_SPEC", operation, `terminateBy is ${terminateBy}, and Google takes 120 days at most`);
  }
}

/** `project/family`, or a path as Google writes it. */
function imagePath(image: string, operation: Operation): string {
  if (/^(projects|global)\//.test(image) || image.startsWith("https://")) return image;
  const [, project, family] = /^([a-z0-9.:-]+)\/([a-z][-a-z0-9]*)$/.exec(image) ?? [];
  if (project !== undefined) return `projects/${project}/global/images/family/${family}`;
  throw refusal(
    "INVALID_SPEC",
    operation,
    `image ${JSON.stringify(image)} is neither project/family nor a path of an image`,
  );
}

/** The same request gives the same body, but for the disk's name: a disk that is there already would be attached in silence. */
export function insertBody(
  remote: GcpRemote,
  { name, ownership, options, prepared, script }: SpawnRequest<GcpSpawnOptions, Prepared>,
  requestId: string,
): InsertBody {
  const { zone, machine, image, diskGb, volumes, userData, network } = prepared;
  const { accelerators } = machine;
  const { sshKeys = [], spot, terminateBy } = options;
  const labels = ownershipLabels(ownership);
  const { type: diskType } = remote.bootDisk;
  return {
    name,
    machineType: `zones/${zone}/machineTypes/${machine.type}`,
    labels,
    metadata: {
      items: [
        ...ownershipItems(ownership),
        { key: "slipway-image", value: options.fromSnapshot ?? options.image ?? remote.image },
        ...(options.hibernation === true ? [{ key: HIBERNATION_ITEM, value: "true" }] : []),
        ...(userData === undefined ? [] : [{ key: "user-data", value: userData }]),
        // A copied disk holds the end of its source's bootstrap.
        ...(script === undefined || options.fromSnapshot !== undefined ? [] : reportItems()),
        ...(sshKeys.length === 0 ? [] : sshItems(remote.sshUser, sshKeys)),
      ],
    },
    ...(options.fromSnapshot === undefined
      ? {
          disks: [
            {
              boot: true,
              autoDelete: true,
              initializeParams: {
                diskName: `${name}-${requestId.slice(0, 8)}`,
                sourceImage: image,
                ...(diskGb === undefined ? {} : { diskSizeGb: String(diskGb) }),
                ...(diskType === undefined ? {} : { diskType: `zones/${zone}/diskTypes/${diskType}` }),
                labels,
              },
            },
            ...volumes.map(
              (disk) =>
                ({
                  source: `projects/${disk.project}/zones/${disk.zone}/disks/${disk.name}`,
                  deviceName: disk.name,
                  autoDelete: false,
                }) as const,
            ),
          ] as const,
        }
      : {}),
    networkInterfaces: [networkInterface(network, zone)],
    ...(network.tags.length === 0 ? {} : { tags: { items: network.tags } }),
    scheduling: {
      // Google refuses it for spot.
      automaticRestart: spot === undefined,
      ...(spot === undefined && accelerators === undefined && !/^(a2|a3|g2)-/.test(machine.type)
        ? {}
        : { onHostMaintenance: "TERMINATE" as const }),
      ...(spot === undefined
        ? {}
        : { provisioningModel: "SPOT" as const, instanceTerminationAction: remote.spotTermination }),
      // One action serves the time and a preemption: stopped is not terminated.
      ...(terminateBy === undefined
        ? {}
        : { terminationTime: terminateBy, instanceTerminationAction: "DELETE" as const }),
    },
    ...(accelerators === undefined
      ? {}
      : {
          guestAccelerators: [
            {
              acceleratorType: `zones/${zone}/acceleratorTypes/${accelerators.type}`,
              acceleratorCount: accelerators.count,
            },
          ] as const,
        }),
    ...(remote.serviceAccount === undefined
      ? {}
      : {
          serviceAccounts: [
            { email: remote.serviceAccount, scopes: ["https://www.googleapis.com/auth/cloud-platform"] },
          ] as const,
        }),
  };
}

function sshItems(user: string, keys: readonly string[]) {
  return [
    { key: "ssh-keys", value: keys.map((line) => `${user}:${line}`).join("\n") },
    // Where OS Login is on, keys in the metadata are ignored.
    { key: "enable-oslogin", value: "FALSE" },
  ];
}

/** A disk by the name under which the guest finds it, and where it is mounted. */
interface Mount {
  readonly device: string;
  readonly path: string;
}

const BOUNDARY = "slipway-part-9c4e27b1";
const WAIT_SECONDS = 120;

/** What cloud-init gets: the mounts before the script, which may want to find its volumes. Undefined for neither. */
function userDataOf(script: BootstrapScript | undefined, mounts: readonly Mount[]): string | undefined {
  if (mounts.length === 0) return script?.content;
  const parts = [
    { type: "x-shellscript", text: mountScript(mounts) },
    ...(script === undefined
      ? []
      : [{ type: script.format === "shell" ? "x-shellscript" : "cloud-config", text: script.content }]),
  ];
  // In base64, so that no content can hold the boundary.
  const body = parts.map(({ type, text }) => {
    const lines =
      Buffer.from(text, "utf8")
        .toString("base64")
        .match(/.{1,76}/g) ?? [];
    const head = `Content-Type: text/${type}; charset="utf-8"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64`;
    return `--${BOUNDARY}\n${head}\n\n${lines.join("\n")}\n`;
  });
  return `Content-Type: multipart/mixed; boundary="${BOUNDARY}"\nMIME-Version: 1.0\n\n${body.join("")}--${BOUNDARY}--\n`;
}

/** Waits for each disk, makes a file system where there is none at all, and mounts it, also after a restart. */
function mountScript(mounts: readonly Mount[]): string {
  return [
    "#!/bin/sh",
    "slipway_mount() {",
    '  link="/dev/disk/by-id/google-$1"; waited=0',
    '  while [ ! -e "$link" ]; do',
    `    if [ "$waited" -ge ${WAIT_SECONDS} ]; then echo "the disk $1 was not attached" >&2; return 1; fi`,
    "    sleep 1; waited=$((waited + 1))",
    "  done",
    // blkid answers 2 where it finds nothing at all: only then is the disk new.
    '  blkid -p "$link" >/dev/null 2>&1; if [ "$?" -eq 2 ]; then mkfs.ext4 -q "$link" || return 1; fi',
    '  mkdir -p "$2" && mount "$link" "$2"',
    `  escaped=$(printf %s "$2" | sed 's/ /\\\\040/g')`,
    '  echo "$link $escaped auto nofail 0 2" >> /etc/fstab',
    "}",
    ...mounts.map(({ device, path }) => `slipway_mount ${device} '${path.replaceAll("'", "'\\''")}'`),
    "",
  ].join("\n");
}
