import {
  type BootstrapConfig,
  type BootstrapScript,
  type BootstrapState,
  isProviderError,
  type Operation,
  ProviderError,
} from "@slipway/core";
import {
  askSentinel,
  BOOTSTRAP_DIRECTORY,
  bootstrapPaths,
  bootstrapSecrets,
  renderBootstrap,
} from "@slipway/provider-kit/bootstrap";
import { redact } from "@slipway/provider-kit/command";
import type { Call } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import type { AppleContainerClient } from "./client.ts";
import { PROVIDER } from "./errors.ts";

export const MAX_BOOTSTRAP_BYTES: number = 1024 * 1024;

const { script: SCRIPT, sentinel: SENTINEL, log: LOG } = bootstrapPaths();
const DONE = `${BOOTSTRAP_DIRECTORY}/done`;

/**
 * The first process of an instance: it waits for the bootstrap if there is one, runs it once, and then does nothing for
 * ever. The script goes away when it has run, since it may hold secrets. Nothing of the caller's stands in this text,
 * which everybody can read in the process list. What the bootstrap prints is what `container logs` shows.
 */
export const INIT_SCRIPT: string = [
  `if [ "$1" = wait ] && [ ! -e ${DONE} ]; then`,
  `  mkdir -p ${BOOTSTRAP_DIRECTORY}`,
  `  until [ -e ${SCRIPT} ]; do sleep 0.1 2>/dev/null || sleep 1; done`,
  `  ln -sf /dev/stdout ${LOG}`,
  `  /bin/sh ${SCRIPT}`,
  // In this order: who hands the script over a second time then either finds it still there, or sees that it is done.
  `  : >${DONE}`,
  `  rm -f ${SCRIPT}`,
  "fi",
  "exec sleep 2147483647",
].join("\n");

/**
 * Hands the script over by stdin: it appears whole or not at all, and a second time changes nothing. `$1` is its length,
 * since a connection that breaks is the end of the input too.
 */
const DELIVER_SCRIPT: string = [
  "umask 077",
  `[ ! -e ${DONE} ] && [ ! -e ${SCRIPT} ] || exit 0`,
  `mkdir -p ${BOOTSTRAP_DIRECTORY} || exit 73`,
  `new=${BOOTSTRAP_DIRECTORY}/.incoming-$$`,
  'cat >"$new" || exit 74',
  '[ "$(wc -c <"$new")" -eq "$1" ] || { rm -f "$new"; exit 74; }',
  `ln "$new" ${SCRIPT} 2>/dev/null || [ -e ${SCRIPT} ] || [ -e ${DONE} ] || exit 73`,
  'rm -f "$new"',
  `if [ -e ${DONE} ]; then rm -f ${SCRIPT}; fi`,
].join("\n");

const READ_SENTINEL = `cat ${SENTINEL} 2>/dev/null || :`;
const INSIDE_MS = 30_000;
const ATTEMPTS = 3;

export function render(config: BootstrapConfig, operation: Operation = "generateBootstrap"): BootstrapScript {
  return renderBootstrap(config, { provider: PROVIDER, operation, format: "shell" });
}

/**
 * Resolves when the instance has the script; it may have had it before. The error's effect is `applied`: the instance is there.
 * `isStill`: is what has the name the same instance as before?
 */
export async function deliver(
  client: AppleContainerClient,
  call: Call,
  name: string,
  script: BootstrapScript,
  isStill: () => Promise<boolean>,
): Promise<void> {
  const argv = ["/bin/sh", "-c", DELIVER_SCRIPT, "slipway-deliver", String(script.byteLength)];
  // A value that happens to stand in our own text, as `exit 0`, tells nothing there, and would be refused in an argument.
  const secrets = bootstrapSecrets(script).filter((secret) => !argv.some((part) => part.includes(secret)));
  const options = { stdin: script.content, timeoutMs: INSIDE_MS, secrets };
  for (let attempt = 1; ; attempt++) {
    const failed = await client.exec(call, name, argv, options).then(
      ({ exitCode, stderr }) =>
        exitCode === 0 ? null : notDelivered(call.operation, name, exitCode, redact(stderr, secrets)),
      (error: unknown) => {
        if (!isProviderError(error)) throw error;
        return withEffect(error, "applied");
      },
    );
    if (failed === null) return;
    if (!failed.retryable || call.signal?.aborted === true || attempt === ATTEMPTS) throw failed;
    // Ended meanwhile, and made anew by another: what stands under the name now is none of this spawn's.
    const same = await isStill().catch(() => undefined);
    if (same !== true) throw same === undefined ? failed : withEffect(failed, "unknown");
  }
}

function notDelivered(operation: Operation, name: string, exitCode: number, stderr: string): ProviderError {
  const why = stderr.trim().split("\n").at(-1) ?? "";
  const printed = why === "" ? "" : `: ${why.slice(0, 200)}`;
  // Our script ends with 74 where its input broke off, and never with 1: that is the command, on a bad moment.
  return new ProviderError(exitCode === 74 || exitCode === 1 ? "UNAVAILABLE" : "INTERNAL", {
    message: `${name} runs, and its bootstrap could not be handed over (exit code ${exitCode})${printed}`,
    provider: PROVIDER,
    operation,
    effect: "applied",
    hint: "Spawn the same key again: it hands the bootstrap over. The image needs cat, ln, mkdir, rm, sleep and wc.",
  });
}

/** What the sentinel inside says; undefined where it cannot be asked now. */
export async function bootstrapState(
  client: AppleContainerClient,
  call: Call,
  name: string,
): Promise<BootstrapState | undefined> {
  const print = () =>
    client.exec(call, name, ["/bin/sh", "-c", READ_SENTINEL], {
      timeoutMs: INSIDE_MS,
    });
  return await askSentinel(print, { ...call, provider: PROVIDER });
}
