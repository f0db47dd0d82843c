import type { LogOptions } from "@slipway/core";
import { BOOTSTRAP_LOG_PATH } from "@slipway/provider-kit/bootstrap";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { findInstance, mustFind } from "./look-up.ts";
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
    const text = await textFrom(context, call, record, seen);
    const lines = whole(text);
    // The last one may not be complete yet.
    const shown = follow && !text.endsWith("\n") ? lines.slice(0, -1) : lines;
    yield* shown;
    seen += shown.length;
    if (!follow) return;
    try {
      await context.clock.sleep(LOOK_AGAIN_MS, signal);
    } catch {
      return;
    }
    const now = await findInstance(context, call, id);
    if (now?.info.record.state !== "running") return;
    record = now.info.record;
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

async function stoppedText(context: OrbstackContext, call: Call, machine: WireMachine): Promise<string> {
  const copied = await context.marks.text(call, machine, BOOTSTRAP_LOG_PATH);
  return copied ?? (await context.client.console(call, machine.name));
}
