import type { BootstrapScript } from "@slipway/core";

/** A disk by the name under which the guest finds it, and where it is mounted. */
export interface Mount {
  readonly device: string;
  readonly path: string;
}

const BOUNDARY = "slipway-part-9c4e27b1";
const WAIT_SECONDS = 120;

/** What cloud-init gets: the mounts before the script, which may want to find its volumes. Undefined for neither. */
export function userDataOf(script: BootstrapScript | undefined, mounts: readonly Mount[]): string | undefined {
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
