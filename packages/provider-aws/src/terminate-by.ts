import type { Image, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { refusal } from "./call.ts";
import type { AWSSpawnOptions } from "./request.ts";
import { TAGS, type Tag } from "./tags.ts";

/** A machine that boots at its time terminates once it has booted. */
export const TERMINATE_LATE_MS = 300_000;

type Wanted = Pick<AWSSpawnOptions, "terminateBy" | "spot">;

/**
 * EC2 has no end of its own for an instance: the machine shuts itself down, and EC2 terminates what does so. cloud-init
 * runs a boothook at every boot, before it installs anything and before the caller's script, and keeps it with the
 * instance: a machine from a snapshot of this one does not inherit it. The time is absolute and looked at again and
 * again, so that a reboot, a hibernation or a clock that is set does not move it. A look that fails ends nothing.
 */
export function terminateByHook(terminateBy: string): string {
  const at = Math.ceil(Date.parse(terminateBy) / 1000);
  return `#!/bin/sh
# Terminates this machine at ${new Date(at * 1000).toISOString()}, also after a reboot.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
export PATH
wait_and_end='
while :; do
  now=$(date +%s)
  case $now in
    "" | *[!0-9]*) ;;
    *) [ "$now" -lt ${at} ] || break ;;
  esac
  sleep 5
done
shutdown -P now || poweroff
sleep 120
while :; do
  poweroff -f -f
  sleep 10
done'
detach=$(command -v setsid || command -v nohup)
$detach sh -c "$wait_and_end" slipway-terminate-by </dev/null >/dev/null 2>&1 &
exit 0
`;
}

/** Throws INVALID_SPEC for an image that is known to run no boothook. What other images run, EC2 does not say. */
export function checkTerminateBy(
  operation: string,
  { terminateBy }: Wanted,
  { Platform, ImageId = "the image" }: Image,
): void {
  if (terminateBy === undefined || Platform?.toLowerCase() !== "windows") return;
  throw refusal("INVALID_SPEC", operation, `terminateBy: ${ImageId} is Windows, which runs no cloud-init`, {
    hint: "launch makes a terminateBy of an expiresAt: leave both out, and terminate it yourself; or spawn it with an expiresAt alone, and run slipway reap.",
  });
}

/** A guest's shutdown would only stop the instance, whose disks cost money. One-time spot instances terminate in any case. */
export function shutdownPart({ terminateBy, spot }: Wanted): Partial<RunInstancesCommandInput> {
  return terminateBy === undefined || spot !== undefined ? {} : { InstanceInitiatedShutdownBehavior: "terminate" };
}

export function terminateByTags({ terminateBy }: Wanted): readonly Tag[] {
  return terminateBy === undefined
    ? []
    : [{ Key: TAGS.terminateBy, Value: new Date(Date.parse(terminateBy)).toISOString() }];
}
