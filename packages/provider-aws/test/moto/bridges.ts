import type { Clock } from "@slipway/core";
import { ec2Emulator } from "../../emulator/index.ts";
import { MOTO_CREDENTIALS } from "./moto-clients.ts";

/** A way in which requests are changed, or answered, before moto sees them. */
interface Bridge {
  /** What would happen without it. */
  readonly because: string;
  /** A paragraph of the fact sheet on AWS, or `new`. */
  readonly paragraph: string;
  readonly calls: readonly string[];
  readonly change: (form: URLSearchParams) => void;
}

const MAPPING = /^(BlockDeviceMapping\.\d+)\.Ebs\./;
// What moto's images hold, whatever the real ones do.
const IMAGE_GIB = "15";

/** The requests that moto would refuse though EC2 takes them. */
export const BRIDGES: readonly Bridge[] = [
  {
    because: "moto wants a size of every disk, where EC2 takes the image's",
    paragraph: "4.2 RunInstances",
    calls: ["RunInstances"],
    change: (form) => {
      const mappings = new Set([...form.keys()].flatMap((name) => MAPPING.exec(name)?.[1] ?? []));
      for (const mapping of mappings) {
        if (!form.has(`${mapping}.Ebs.VolumeSize`)) form.set(`${mapping}.Ebs.VolumeSize`, IMAGE_GIB);
      }
    },
  },
  {
    because: "moto fails where the snapshots of an image are tagged with it",
    paragraph: "4.2 CreateImage",
    calls: ["CreateImage"],
    change: (form) => {
      for (const [name, value] of [...form]) {
        if (!/^TagSpecification\.\d+\.ResourceType$/.test(name) || value !== "snapshot") continue;
        const prefix = name.slice(0, -"ResourceType".length);
        for (const key of [...form.keys()]) if (key.startsWith(prefix)) form.delete(key);
      }
    },
  },
];

/** In front of moto: requests that it would refuse wrongly are rewritten, and services that it lacks are the emulator's. */
export function bridged(fetch: typeof globalThis.fetch, clock: Clock): typeof globalThis.fetch {
  // Moto has no price list, and of Cost Explorer a stub.
  const emulator = ec2Emulator({ clock, credentials: [MOTO_CREDENTIALS], limits: null, latencyMs: 0 });
  // It answers in threads that share everything without a lock: two at once can fail both.
  let last: Promise<unknown> = Promise.resolve();
  const queued: typeof globalThis.fetch = (input, init) => {
    const mine = last.then(() => fetch(input, init));
    last = mine.catch(() => undefined);
    return mine;
  };
  return (input, init) => {
    const headers = new Headers(init?.headers);
    if (/\/(pricing|ce)\/aws4_request/.test(headers.get("authorization") ?? "")) return emulator.fetch(input, init);
    const form = new URLSearchParams(bodyText(init?.body));
    const crossed = BRIDGES.filter(({ calls }) => calls.includes(form.get("Action") ?? ""));
    if (crossed.length === 0) return queued(input, init);
    for (const { change } of crossed) change(form);
    headers.delete("content-length");
    return queued(input, { ...init, headers, body: form.toString() });
  };
}

/** What a request of the SDK holds: text, or its bytes. */
export function bodyText(body: RequestInit["body"]): string {
  if (typeof body === "string") return body;
  return body instanceof Uint8Array ? Buffer.from(body).toString() : "";
}
