import { isProviderError, ProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import { redact } from "@slipway/provider-kit/command";
import { withEffect } from "@slipway/provider-kit/errors";
import { deliverArguments } from "./bootstrap.ts";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { PROVIDER, refusal, wentAway } from "./errors.ts";
import type { Found } from "./lookup.ts";
import type { OrbstackRequest } from "./request.ts";
import { OTHER_MACHINE, TAG_PATH, type Tag, tagText } from "./tags.ts";
import type { WireInfo } from "./wire.ts";

const FOLDER = "/var/lib/slipway";
const INSIDE_MS = 30_000;
const ATTEMPTS = 3;
const AGAIN_MS = 500;

/**
 * Writes the tag from stdin, whole or not at all. `$1` is its length, `$2` the machine's id, `$3` is `copy` for a copy: that
 * has the tag and the bootstrap of another machine, which are not its own. In any other machine such a tag says that the
 * name has gone to that one meanwhile.
 */
const TAG_SCRIPT: string = [
  "umask 022",
  `mkdir -p ${FOLDER} || exit 73`,
  `if ! grep -q "\\"id\\":\\"$2\\"" ${TAG_PATH} 2>/dev/null; then`,
  `  [ "$3" = copy ] || ! grep -q '"id":"' ${TAG_PATH} 2>/dev/null || exit ${OTHER_MACHINE}`,
  `  rm -rf ${FOLDER}/bootstrap`,
  "fi",
  `new=${FOLDER}/.tag-$$`,
  'cat >"$new" || exit 74',
  '[ "$(wc -c <"$new")" -eq "$1" ] || { rm -f "$new"; exit 74; }',
  // A folder of that name would take the file in.
  `[ ! -d ${TAG_PATH} ] || rm -rf ${TAG_PATH}`,
  `mv -f "$new" ${TAG_PATH} || exit 73`,
].join("\n");

/**
 * Makes a running machine an instance: its tag first, then its bootstrap. Both are handed over by stdin, and may be
 * handed over again by whoever finds it half made. While the machine is there, every error's effect is `applied`.
 */
export async function complete(
  context: OrbstackContext,
  call: Call,
  info: WireInfo,
  request: OrbstackRequest,
  isCopy: boolean,
): Promise<Found> {
  const { id } = info.record;
  const tag: Tag = { id, ...request.tag };
  const text = tagText(tag);
  const length = String(Buffer.byteLength(text));
  const argv = ["/bin/sh", "-c", TAG_SCRIPT, "slipway-tag", length, id, isCopy ? "copy" : ""];
  await hand(context, call, { id, argv, stdin: text, secrets: [] });
  context.tags.note(tag);
  await deliver(context, call, id, request);
  return { info, owned: { machine: info.record, tag, copyOf: null, isUnreadable: false } };
}

/** Resolves when the bootstrap has begun; it may have begun before. The machine must be tagged. */
export async function deliver(
  context: OrbstackContext,
  call: Call,
  id: string,
  { script }: OrbstackRequest,
): Promise<void> {
  if (script === undefined) return;
  const argv = deliverArguments(script, id);
  await hand(context, call, { id, argv, stdin: script.content, secrets: bootstrapSecrets(script) });
}

interface HandOver {
  /** The machine's. */
  readonly id: string;
  readonly argv: readonly string[];
  readonly stdin: string;
  readonly secrets: readonly string[];
}

async function hand(context: OrbstackContext, call: Call, what: HandOver): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failed = await handedOnce(context, call, what).catch((error: unknown) => {
      if (isProviderError(error)) return withEffect(error, "applied");
      throw error;
    });
    if (failed === null) return;
    if (call.signal?.aborted === true || attempt === ATTEMPTS || LOST.has(String(failed.native?.code))) throw failed;
    await context.clock.sleep(AGAIN_MS * attempt, call.signal).catch(() => {
      throw failed;
    });
  }
}

/** Nothing more can be handed to it. */
const LOST: ReadonlySet<string> = new Set(["went-away", "not-running"]);

/**
 * What runs inside is told by a name alone, and by now another machine may have it: so the name is read anew each time, and
 * the machine itself refuses what is another one's.
 */
async function handedOnce(
  { client, tags }: OrbstackContext,
  call: Call,
  { id, argv, stdin, secrets }: HandOver,
): Promise<ProviderError | null> {
  const now = await client.machine(call, id);
  if (now === null) return wentAway(call, id);
  const { name, state } = now.record;
  // Whatever is asked of a stopped one would start it.
  if (state !== "running") return notRunning(call, id, state);
  const { exitCode, stderr } = await client.run(call, name, argv, { stdin, timeoutMs: INSIDE_MS, secrets });
  if (exitCode === 0) return null;
  if (exitCode === OTHER_MACHINE) tags.forget(id);
  return notTaken(call, name, exitCode, redact(stderr, secrets));
}

function notRunning({ operation }: Call, id: string, state: string): ProviderError {
  return refusal("UNAVAILABLE", operation, `${id} is ${state}, and could not be finished`, {
    effect: "applied",
    hint: "Spawn the same key again: it completes it.",
    native: { code: "not-running" },
  });
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
