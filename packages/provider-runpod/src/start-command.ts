import { gzipSync } from "node:zlib";
import type { BootstrapConfig, BootstrapScript, Operation } from "@slipway/core";
import { BOOTSTRAP_DIRECTORY, renderBootstrap } from "@slipway/provider-kit/bootstrap";
import { PROVIDER, refusal } from "./errors.ts";

/** What a packed bootstrap may have: RunPod takes 102 400 bytes for the whole request, and the rest needs room too. */
export const MAX_USER_DATA_BYTES = 92_160;

const PLAIN = "SLIPWAY_BOOTSTRAP";
const ZIPPED = "SLIPWAY_BOOTSTRAP_GZ";

// Fixed: nothing of a user stands in it, so there is nothing to quote. RunPod splits the command as a shell does, and
// `printf` is the shell's own, so that the script never stands in an argument list. The variables are taken away before
// anything else starts. An image of RunPod's brings its own start script, which this command replaces: it is run as well,
// or there would be no sshd. At the end the shell stays: a command that ends is started again, and is billed all the time.
const DECODER = [
  `umask 077`,
  `trap "exit 0" TERM INT`,
  `d=\${SLIPWAY_BOOTSTRAP_DIR:-${BOOTSTRAP_DIRECTORY}}`,
  `u() { if command -v base64 >/dev/null 2>&1; then base64 -d; else openssl base64 -d -A; fi; }`,
  `p() { if [ -n "$${ZIPPED}" ]; then printf %s "$${ZIPPED}" | u | gzip -dc; else printf %s "$${PLAIN}" | u; fi; }`,
  `(umask 022; mkdir -p "$d")`,
  `p >"$d/bootstrap.new" && chmod 700 "$d/bootstrap.new" && mv -f "$d/bootstrap.new" "$d/bootstrap.sh"`,
  `unset ${PLAIN} ${ZIPPED}`,
  `umask 022`,
  `if [ -x /start.sh ]; then /start.sh & fi`,
  // In the background, so that a stop is heard while it runs.
  `"$d/bootstrap.sh" & wait $!`,
  `while :; do sleep 3600 & wait $!; done`,
].join("; ");

/** The container's command for a pod with a bootstrap. */
export const START_COMMAND: string = `sh -c '${DECODER}'`;

export function render(config: BootstrapConfig, operation: Operation = "generateBootstrap"): BootstrapScript {
  return renderBootstrap(config, { provider: PROVIDER, operation, format: "shell" });
}

/** The variable that carries the script: plain where it fits, so that the image needs no gzip. Throws INVALID_SPEC. */
export function carrierOf(script: BootstrapScript, operation: Operation): Readonly<Record<string, string>> {
  const plain = Buffer.from(script.content, "utf8").toString("base64");
  if (plain.length <= MAX_USER_DATA_BYTES) return { [PLAIN]: plain };
  const zipped = gzipSync(script.content, { level: 9 }).toString("base64");
  if (zipped.length <= MAX_USER_DATA_BYTES) return { [ZIPPED]: zipped };
  throw refusal(
    "INVALID_SPEC",
    operation,
    `bootstrap has ${zipped.length} bytes when packed, and may have ${MAX_USER_DATA_BYTES}`,
    { hint: "RunPod takes 100 KiB for the whole request: have the script fetch what it needs." },
  );
}
