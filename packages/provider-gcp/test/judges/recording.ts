import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { GcpEmulator } from "../../emulator/index.ts";

/** Every exchange between a provider and the emulator, one JSON line each; those that differ only in numbers once. */
export interface Recording {
  readonly wire: (emulator: GcpEmulator) => typeof globalThis.fetch;
  /** All exchanges so far, and those that were kept. */
  readonly counts: () => { readonly all: number; readonly kept: number };
  /** The file, when everything is in it. */
  readonly written: () => Promise<string>;
  readonly close: () => Promise<void>;
}

const ROOT = "/compute/v1/";

export async function recording(): Promise<Recording> {
  const folder = await mkdtemp(path.join(tmpdir(), "slipway-judges-"));
  const file = path.join(folder, "exchanges.jsonl");
  const lines = new Map<string, string>();
  let all = 0;
  return {
    wire: (emulator) => async (input, init) => {
      const response = await emulator.fetch(input, init);
      const url = new URL(String(input));
      const headers = new Headers(init?.headers);
      all += 1;
      const line = JSON.stringify({
        method: init?.method ?? "GET",
        path: url.pathname.replace(ROOT, ""),
        query: Object.fromEntries(url.searchParams),
        version: headers.get("x-goog-api-version"),
        request: parsed(init?.body ?? null),
        status: response.status,
        response: parsed(await response.clone().text()),
      });
      // Names, numbers and times differ in every exchange; what the document judges does not depend on them.
      lines.set(line.replaceAll(/\d+/g, "0").replaceAll(/slip-[a-z0-9-]+/g, "slip"), line);
      return response;
    },
    counts: () => ({ all, kept: lines.size }),
    written: async () => {
      await appendFile(file, [...lines.values(), ""].join("\n"));
      return file;
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Null for what is no JSON: faults cut answers off, and put pages in their place. */
function parsed(text: unknown): unknown {
  if (typeof text !== "string" || text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
