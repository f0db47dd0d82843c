/** The names that EC2 leaves to data volumes on every kind of Linux machine; the guest sees NVMe names instead. */
const DEVICES: readonly string[] = Array.from("fghijklmnop", (letter) => `/dev/sd${letter}`);

/** The next device name that is not taken; undefined where all eleven are. */
export function freeDevice(taken: Iterable<string>): string | undefined {
  const used = new Set([...taken].map((name) => name.replace(/^\/dev\/xvd/, "/dev/sd")));
  return DEVICES.find((name) => !used.has(name));
}

/** What the guest does with one volume: wait for it, make a file system where there is none at all, and mount it. */
export interface MountedVolume {
  readonly volumeId: string;
  readonly mountPath: string;
}

const WAIT_SECONDS = 300;

/**
 * Shell lines that mount the volumes as they come: EC2 attaches only to an instance that runs, so that the guest is
 * there first. A volume is found by its id, which NVMe carries as its serial number; device names mean nothing there.
 */
export function mountScript(volumes: readonly MountedVolume[]): string {
  if (volumes.length === 0) return "";
  const lines = volumes.map(({ volumeId, mountPath }) => `slipway_mount ${volumeId} ${quoted(mountPath)}`);
  return [
    "slipway_mount() {",
    '  serial=$(printf %s "$1" | tr -d -)',
    '  link="/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$serial"',
    "  waited=0",
    '  while [ ! -e "$link" ]; do',
    `    if [ "$waited" -ge ${WAIT_SECONDS} ]; then echo "volume $1 was not attached" >&2; return 1; fi`,
    "    sleep 1; waited=$((waited + 1))",
    "  done",
    // blkid answers 2 where it finds nothing at all: only then is the volume new.
    '  blkid -p "$link" >/dev/null 2>&1; if [ "$?" -eq 2 ]; then mkfs.ext4 -q "$link" || return 1; fi',
    '  mkdir -p "$2" && mount "$link" "$2"',
    "}",
    ...lines,
    "",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
