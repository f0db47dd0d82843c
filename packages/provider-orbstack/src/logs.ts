import type { LogOptions } from "@slipway/core";
import { BOOTSTRAP_LOG_PATH } from "@slipway/provider-kit/bootstrap";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { findInstance, mustFind } from "./lookup.ts";
import type { WireMachine } from "./wire.ts";

const LOOK_AGAIN_MS = 2_000;
const INSIDE_MS = 30_000;
const TAIL = 'tail -n "+$1" "$2" 2>/dev/null || :';

/**
 * What the bootstrap printed, line by line. Of a stopped instance what can be read without a start: the file, or its
 * console. Followed, it ends when the instance does.
 */
export async function* logsOf(
  context: OrbstackContext,
  id: string,
  { signal, follow = false }: LogOptions = {},
): AsyncGenerator<string> {
  const call: Call = { operation: "logs", signal };
  let { record } = (await mustFind(context, call, id)).info;
  if (record.state !== "running") {
    yield* whole(await stoppedText(context, call, record));
    return;
  }
  for (let seen = 0; ; ) {
    const isOver = !follow || record.state !== "running";
    const text =
      isOver && follow ? await restOf(context, call, record, seen) : await textFrom(context, call, record, seen);
    const lines = whole(text);
    // The last one may not be complete yet.
    const shown = isOver || text.endsWith("\n") ? lines : lines.slice(0, -1);
    yield* shown;
    seen += shown.length;
    if (isOver) return;
    const next = await later(context, call, id);
    if (next === null) return;
    record = next;
  }
}

/** The instance after a while; null if it has gone, or nobody wants to know any more. */
async function later(context: OrbstackContext, call: Call, id: string): Promise<WireMachine | null> {
  for (;;) {
    try {
      await context.clock.sleep(LOOK_AGAIN_MS, call.signal);
    } catch {
      return null;
    }
    const record = (await findInstance(context, call, id))?.info.record;
    if (record === undefined) return null;
    // Then nothing can be read from it, and soon all of it.
    if (record.state !== "stopping") return record;
  }
}

function whole(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

async function textFrom({ client }: OrbstackContext, call: Call, { name }: WireMachine, seen: number): Promise<string> {
  const argv = ["/bin/sh", "-c", TAIL, "sh", String(seen + 1), BOOTSTRAP_LOG_PATH];
  return (await client.run(call, name, argv, { timeoutMs: INSIDE_MS, reads: true })).stdout;
}

/** What was printed between the last look and the stop. */
async function restOf({ tags }: OrbstackContext, call: Call, machine: WireMachine, seen: number): Promise<string> {
  const { text } = await tags.text(call, machine, BOOTSTRAP_LOG_PATH);
  return (text ?? "").split("\n").slice(seen).join("\n");
}

async function stoppedText(context: OrbstackContext, call: Call, machine: WireMachine): Promise<string> {
  const { text } = await context.tags.text(call, machine, BOOTSTRAP_LOG_PATH);
  return text ?? (await context.client.console(call, machine.name));
}
