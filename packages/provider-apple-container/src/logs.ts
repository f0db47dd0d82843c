import type { LogOptions } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { AppleContainerContext } from "./context.ts";
import { containerOf } from "./driver.ts";
import { mustFind } from "./exec.ts";

const LOOK_AGAIN_MS = 2_000;

/** What the bootstrap printed, line by line, since the last start. Followed, it ends when the instance does. */
export async function* logsOf(
  context: AppleContainerContext,
  id: string,
  { signal, follow = false }: LogOptions = {},
): AsyncGenerator<string> {
  const call: Call = { operation: "logs", signal };
  const { id: name } = await mustFind(context, call, id);
  if (follow) {
    yield* followed(context, call, id, name);
    return;
  }
  const lines = (await context.client.logs(call, name)).split("\n");
  if (lines.at(-1) === "") lines.pop();
  yield* lines;
}

/** The command that follows never ends by itself: it is ended when the instance has, or nobody listens any more. */
async function* followed(context: AppleContainerContext, call: Call, id: string, name: string): AsyncGenerator<string> {
  const over = new AbortController();
  const signal = call.signal === undefined ? over.signal : AbortSignal.any([call.signal, over.signal]);
  const waiting: string[] = [];
  let rest = "";
  let wake: () => void = () => undefined;
  let ended: { readonly error: Error | null } | undefined;
  const onChunk = (chunk: string): void => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    waiting.push(...lines);
    wake();
  };
  const end = (error?: unknown): void => {
    // The caller's own abort, and ours, are no failure.
    ended ??= { error: error instanceof Error && !signal.aborted ? error : null };
    wake();
  };
  void context.client.followLogs({ ...call, signal }, name, onChunk).then(() => end(), end);
  void untilStopped(context, { ...call, signal }, id).then(
    () => over.abort(),
    () => over.abort(),
  );
  try {
    for (;;) {
      yield* waiting.splice(0);
      if (ended !== undefined && waiting.length === 0) break;
      if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    }
    if (rest !== "") yield rest;
    if (ended.error !== null) throw ended.error;
  } finally {
    over.abort();
  }
}

async function untilStopped(context: AppleContainerContext, call: Call, id: string): Promise<void> {
  for (;;) {
    await context.clock.sleep(LOOK_AGAIN_MS, call.signal);
    const wire = await containerOf(context, call, id);
    if (wire?.status.state !== "running") return;
  }
}
