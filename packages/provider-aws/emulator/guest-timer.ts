import { gunzipSync } from "node:zlib";
import type { Instance } from "./things.ts";
import { beginEnd, type Scene, type Turn } from "./transitions.ts";

const BY_GUEST = {
  code: "Client.InstanceInitiatedShutdown",
  message: "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
};

/**
 * What a guest does that boots now: it runs, and where its user data waits for a time and then shuts down, it does that. EC2
 * terminates it where that is its behaviour, and stops it otherwise.
 */
export function bootTurn(scene: Scene, one: Instance): Turn {
  const { bootMs, stopMs } = scene.world.settings;
  const running = { inMs: bootMs, patch: { state: "running" } } as const;
  const at = shutdownTime(one.userData);
  if (at === null) return [running];
  // Its user data runs once it has booted.
  const afterMs = Math.max(at - scene.now, bootMs);
  if (one.shutdownBehaviour === "terminate" || one.market === "spot") {
    return [running, ...beginEnd(scene, one, { reason: BY_GUEST, afterMs })];
  }
  return [
    running,
    { inMs: afterMs, patch: { state: "stopping", reason: BY_GUEST, transition: BY_GUEST.message } },
    { inMs: afterMs + stopMs, patch: { state: "stopped" } },
  ];
}

/** The guest is stopped before its time came: nothing of its end stands ahead any more. */
export function forgetGuestEnd({ region, now }: Scene, one: Instance): void {
  if (shutdownTime(one.userData) === null) return;
  for (const { volumeId } of one.devices) region.volumes.get(volumeId)?.turn(now);
}

/** Milliseconds; null where no boothook of the user data, which alone runs at every boot, waits for a time. */
function shutdownTime(userData: string | null): number | null {
  if (userData === null) return null;
  const bytes = Buffer.from(userData, "base64");
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  for (const hook of boothooksOf((isPacked ? gunzipSync(bytes) : bytes).toString("utf8"))) {
    const [, seconds] = /\[ "\$now" -lt (\d+) \] \|\| break\b[^]*\bsleep \d+\ndone\nshutdown /.exec(hook) ?? [];
    if (seconds !== undefined) return Number(seconds) * 1000;
  }
  return null;
}

function boothooksOf(text: string): readonly string[] {
  if (text.startsWith("#cloud-boothook\n")) return [text];
  const boundary = /^Content-Type: multipart\/mixed; boundary="([^"]+)"/.exec(text)?.[1];
  if (boundary === undefined) return [];
  const parts = text.split(`--${boundary}`).filter((part) => /^Content-Type: text\/cloud-boothook\b/m.test(part));
  return parts.map((part) => {
    const body = part.slice(part.indexOf("\n\n") + 2);
    return Buffer.from(body.replaceAll("\n", ""), "base64").toString("utf8");
  });
}
