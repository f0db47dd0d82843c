import type { BootstrapMethods, BootstrapTruth } from "@slipway/core";
import { BOOTSTRAP_LOG_PATH, BOOTSTRAP_SENTINEL_PATH, parseSentinel } from "@slipway/provider-kit/bootstrap";
import type { Call } from "@slipway/provider-kit/driver";
import type { GcpLifeCycle } from "./instance.ts";
import type { GcpRemote } from "./remote.ts";

// Google lets a guest write attributes of its instance, which the API shows; only where this item allows it.
const REPORT_ITEM = "enable-guest-attributes";
const NAMESPACE = "slipway";
const KEY = "bootstrap";
const MOST_LINES = 20;

/**
 * The metadata by which an instance reports its bootstrap: Google's guest agent runs the script at every boot, beside
 * cloud-init, and without waiting for it. Of a bootstrap that failed it also tells the end of the log.
 */
export function reportItems(): readonly { readonly key: string; readonly value: string }[] {
  const script = `#!/bin/sh
# Reports the bootstrap through Google's guest attributes.
sentinel=${BOOTSTRAP_SENTINEL_PATH}
put() {
  curl -sf -m 10 -X PUT -H 'Metadata-Flavor: Google' --data-binary @- \\
    http://metadata.google.internal/computeMetadata/v1/instance/guest-attributes/${NAMESPACE}/${KEY}
}
report() {
  cat "$sentinel"
  if ! grep -q -e '^exitCode=0$' -e '^state=running$' "$sentinel"; then echo; tail -c 2000 ${BOOTSTRAP_LOG_PATH}; fi
}
watch() {
  told=
  while :; do
    seen=$(cat "$sentinel" 2>/dev/null)
    if [ "$seen" != "$told" ] && report | put; then told=$seen; fi
    case $told in *exitCode=*) return ;; esac
    sleep 5
  done
}
watch </dev/null >/dev/null 2>&1 &
`;
  return [
    { key: REPORT_ITEM, value: "TRUE" },
    { key: "startup-script", value: script },
  ];
}

/** Of an instance that was spawned with a bootstrap; `unknown` until it has reported something. */
export function bootstrapMethods({ client }: GcpRemote, lifeCycle: GcpLifeCycle): BootstrapMethods {
  return {
    readBootstrap: async (id, { signal } = {}): Promise<BootstrapTruth | null> => {
      const call: Call = { operation: "readBootstrap", signal };
      const machine = await lifeCycle.managed(call, id);
      if (machine.metadata?.items[REPORT_ITEM] !== "TRUE") return null;
      const report = await client.guestAttribute(call, machine.zone, machine.id, `${NAMESPACE}/${KEY}`);
      if (report === null) return { state: "unknown" };
      const [sentinel = "", ...rest] = report.split("\n\n");
      const { state, exitCode } = parseSentinel(sentinel);
      const lines = rest
        .join("\n\n")
        .split("\n")
        .map((line) => line.replaceAll(/\p{Cc}/gu, " ").trimEnd());
      const lastLines = lines.filter((line) => line !== "").slice(-MOST_LINES);
      return {
        state,
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(lastLines.length === 0 ? {} : { lastLines }),
      };
    },
  };
}
