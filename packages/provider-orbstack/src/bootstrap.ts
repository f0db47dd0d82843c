import { type BootstrapConfig, type BootstrapScript, type BootstrapState, type Operation } from "@slipway/core";
import { askSentinel, BOOTSTRAP_DIRECTORY, bootstrapPaths, renderBootstrap } from "@slipway/provider-kit/bootstrap";
import type { Call } from "./call.ts";
import type { OrbstackClient } from "./client.ts";
import { PROVIDER } from "./errors.ts";
import { OTHER_MACHINE, TAG_PATH } from "./tags.ts";

export const MAX_BOOTSTRAP_BYTES: number = 1024 * 1024;

const { script: SCRIPT, sentinel: SENTINEL } = bootstrapPaths();
const DONE = `${BOOTSTRAP_DIRECTORY}/done`;
// Not `lock`: that is the rendered script's own.
const BEGUN = `${BOOTSTRAP_DIRECTORY}/begun`;

/** Whoever makes the directory runs the script, once; it goes away then, since it may hold secrets. */
const RUNNER = `mkdir ${BEGUN} 2>/dev/null || exit 0; /bin/sh ${SCRIPT}; : >${DONE}; rm -f ${SCRIPT}`;

/**
 * Takes the script from stdin, whole or not at all, and starts it so that it outlives the call: what is only in the
 * background ends with the session. A second time changes nothing. `$1` is the script's length, since a connection that
 * breaks is the end of the input too; `$2` is what runs it, and `$3` the id that the machine's tag must have: another
 * machine may have the name by now. Nothing of the caller's stands in this text.
 */
const DELIVER_SCRIPT: string = [
  "umask 077",
  `grep -q "\\"id\\":\\"$3\\"" ${TAG_PATH} 2>/dev/null || exit ${OTHER_MACHINE}`,
  `[ ! -e ${DONE} ] || exit 0`,
  `(umask 022 && mkdir -p ${BOOTSTRAP_DIRECTORY}) || exit 73`,
  `new=${BOOTSTRAP_DIRECTORY}/.incoming-$$`,
  'cat >"$new" || exit 74',
  '[ "$(wc -c <"$new")" -eq "$1" ] || { rm -f "$new"; exit 74; }',
  `if [ -e ${BEGUN} ]; then rm -f "$new"; exit 0; fi`,
  `mv -f "$new" ${SCRIPT} || exit 73`,
  "if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then",
  '  systemd-run --quiet --collect --unit="slipway-bootstrap-$$" /bin/sh -c "$2" >/dev/null 2>&1 || exit 75',
  "elif command -v setsid >/dev/null 2>&1; then",
  '  setsid /bin/sh -c "$2" </dev/null >/dev/null 2>&1 &',
  "else",
  '  nohup /bin/sh -c "$2" </dev/null >/dev/null 2>&1 &',
  "fi",
  "tries=0",
  `until [ -e ${BEGUN} ]; do`,
  "  tries=$((tries + 1))",
  '  [ "$tries" -lt 200 ] || exit 75',
  "  sleep 0.05 2>/dev/null || sleep 1",
  "done",
  // Another one's may have run, and gone away, before this one's was put in its place.
  `if [ -e ${DONE} ]; then rm -f ${SCRIPT}; fi`,
].join("\n");

const READ_SENTINEL = `cat ${SENTINEL} 2>/dev/null || :`;
const INSIDE_MS = 30_000;

export function render(config: BootstrapConfig, operation: Operation = "generateBootstrap"): BootstrapScript {
  return renderBootstrap(config, { provider: PROVIDER, operation, format: "shell" });
}

/** What the machine is told to take the script in, without the script itself. */
export function deliverArguments({ byteLength }: BootstrapScript, id: string): readonly string[] {
  return ["/bin/sh", "-c", DELIVER_SCRIPT, "slipway-deliver", String(byteLength), RUNNER, id];
}

/** What the sentinel inside says; undefined where it cannot be asked now. The machine must run. */
export async function bootstrapState(
  client: OrbstackClient,
  call: Call,
  name: string,
): Promise<BootstrapState | undefined> {
  const print = () =>
    client.run(call, name, ["/bin/sh", "-c", READ_SENTINEL], {
      timeoutMs: INSIDE_MS,
      reads: true,
    });
  return await askSentinel(print, { ...call, provider: PROVIDER });
}
