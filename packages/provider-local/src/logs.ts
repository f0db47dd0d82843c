import { type FileHandle, open } from "node:fs/promises";
import type { InstanceStatus, LogOptions } from "@slipway/core";
import { sandboxLayout } from "@slipway/provider-kit/sandbox";
import { type LocalContext, nameOf } from "./context.ts";
import { failure, systemCode, translated } from "./errors.ts";
import { sight } from "./instance.ts";
import { recordOf } from "./lookup.ts";
import { type InstanceRecord, withoutSecrets } from "./state/records.ts";

const CHUNK_BYTES = 64 * 1024;
const FOLLOW_MS = 50;

/** What the bootstrap and everything else in the instance printed, line by line, without the registration token. */
export async function* logsLocal(context: LocalContext, id: string, options: LogOptions = {}): AsyncGenerator<string> {
  const name = nameOf(id);
  const record = await recordOf(context, id, "logs");
  if (name === null || record === null) {
    throw failure("unknown-instance", "logs", `there is no instance ${JSON.stringify(id)}`);
  }
  const secrets = record.bootstrap?.secrets ?? [];
  const path = sandboxLayout(context.state.instances.directoryOf(name)).log;
  const more = options.follow === true ? () => moreToCome(context, id, options.signal) : async () => false;
  for await (const line of linesOf(path, more)) yield withoutSecrets(line, secrets);
}

async function* linesOf(path: string, more: () => Promise<boolean>): AsyncGenerator<string> {
  const file = await open(path, "r").catch((error: unknown) => {
    // It has not begun to print.
    if (systemCode(error) === "ENOENT") return null;
    throw translated(error, "logs", "none");
  });
  if (file === null) return;
  try {
    const decoder = new TextDecoder();
    // Pieces, joined when their line ends: a long line is not searched and copied again with each piece.
    let rest: string[] = [];
    for (let going = true; going; ) {
      // Asked before the last read, so that nothing printed in between is missed.
      going = await more();
      for await (const chunk of chunksOf(file)) {
        const [first = "", ...lines] = decoder.decode(chunk, { stream: true }).split("\n");
        rest.push(first);
        const next = lines.pop();
        if (next === undefined) continue;
        yield rest.join("");
        yield* lines;
        rest = [next];
      }
    }
    const last = rest.join("");
    if (last !== "") yield last;
  } finally {
    await file.close();
  }
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(CHUNK_BYTES) });
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Waits a little; false once the instance has ended or the caller has seen enough. */
async function moreToCome(context: LocalContext, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  const ended = await context.clock.sleep(FOLLOW_MS, signal).then(
    () => false,
    () => true,
  );
  return !ended && (await isAlive(context, id));
}

async function isAlive(context: LocalContext, id: string): Promise<boolean> {
  const record = await recordOf(context, id, "logs");
  return record !== null && (await sightOf(context, record)) !== "terminated";
}

async function sightOf(context: LocalContext, record: InstanceRecord): Promise<InstanceStatus> {
  return (await sight(context.state, record)).status;
}
