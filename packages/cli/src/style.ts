import type { TextSink, World } from "./world.ts";

export type Tone = "good" | "bad" | "warn" | "quiet" | "strong";

const FORMATS = { good: "green", bad: "red", warn: "yellow", quiet: "dim", strong: "bold" } as const;

/** Colours a text, or leaves it as it is. */
export type Style = (tone: Tone, text: string) => string;

/** Colours only on a terminal, and never against NO_COLOR. */
export function styleFor(sink: TextSink, env: World["env"]): Style {
  const colours = sink.isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return colours
    ? (tone, text) => process.getBuiltinModule("node:util").styleText(FORMATS[tone], text, { validateStream: false })
    : (_tone, text) => text;
}
