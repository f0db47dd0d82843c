import { isProviderError, ProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import { withEffect } from "@slipway/provider-kit/errors";
import { deliverArguments } from "./bootstrap.ts";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import type { Found } from "./look-up.ts";
import { MARK_PATH, type Mark, markText } from "./marks.ts";
import type { OrbstackRequest } from "./request.ts";
import type { WireInfo } from "./wire.ts";

const FOLDER = "/var/lib/slipway";
const INSIDE_MS = 30_000;
const ATTEMPTS = 3;
const AGAIN_MS = 500;

/**
 * Writes the mark from stdin, whole or not at all. `$1` is its length, `$2` the machine's id: in a copy the bootstrap of
 * the machine that it was copied from is not its own.
 */
const MARK_SCRIPT: string = [
  "umask 022",
  `mkdir -p ${FOLDER} || exit 73`,
  `grep -q "\\"id\\":\\"$2\\"" ${MARK_PATH} 2>/dev/null || rm -rf ${FOLDER}/bootstrap`,
  `new=${FOLDER}/.mark-$$`,
  'cat >"$new" || exit 74',
  '[ "$(wc -c <"$new")" -eq "$1" ] || { rm -f "$new"; exit 74; }',
  `mv -f "$new" ${MARK_PATH} || exit 73`,
].join("\n");

/**
 * Makes a running machine an instance: its mark first, then its bootstrap. Both are handed over by stdin, and may be
 * handed over again by whoever finds it half made. The machine is there, so every error's effect is `applied`.
 */
export async function complete(
  context: OrbstackContext,
  call: Call,
  info: WireInfo,
  request: OrbstackRequest,
): Promise<Found> {
  const { id, name } = info.record;
  const mark: Mark = { id, ...request.mark };
  const text = markText(mark);
  const length = String(Buffer.byteLength(text));
  await hand(context, call, name, ["/bin/sh", "-c", MARK_SCRIPT, "slipway-mark", length, id], text);
  context.marks.note(mark);
  await deliver(context, call, name, request);
  return { info, owned: { machine: info.record, mark, isCopy: false } };
}

/** Resolves when the bootstrap has begun; it may have begun before. */
export async function deliver(
  context: OrbstackContext,
  call: Call,
  name: string,
  { script }: OrbstackRequest,
): Promise<void> {
  if (script === undefined) return;
  await hand(context, call, name, deliverArguments(script), script.content, bootstrapSecrets(script));
}

async function hand(
  { client, clock }: OrbstackContext,
  call: Call,
  name: string,
  argv: readonly string[],
  stdin: string,
  secrets: readonly string[] = [],
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failed = await client.run(call, name, argv, { stdin, timeoutMs: INSIDE_MS, secrets }).then(
      ({ exitCode, stderr }) => (exitCode === 0 ? null : notTaken(call, name, exitCode, stderr)),
      (error: unknown) => {
        if (!isProviderError(error)) throw error;
        return withEffect(error, "applied");
      },
    );
    if (failed === null) return;
    if (call.signal?.aborted === true || attempt === ATTEMPTS) throw failed;
    await clock.sleep(AGAIN_MS * attempt, call.signal).catch(() => {
      throw failed;
    });
  }
}

function notTaken({ operation }: Call, name: string, exitCode: number, stderr: string): ProviderError {
  const why = stderr.trim().split("\n").at(-1) ?? "";
  const printed = why === "" ? "" : `: ${why.slice(0, 200)}`;
  return new ProviderError("UNAVAILABLE", {
    message: `${name} runs, and could not be finished (exit code ${exitCode})${printed}`,
    provider: PROVIDER,
    operation,
    effect: "applied",
    hint: "Spawn the same key again: it completes it. The image needs sh, cat, grep, mkdir, mv, rm and wc.",
    native: { code: "not-finished" },
  });
}
