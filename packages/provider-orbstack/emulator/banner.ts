import type { ProgramAnswer } from "@slipway/provider-kit/command";
import type { EngineSettings } from "./state.ts";

const BOX = [
  "╭─────────────────────────────────────────╮",
  "│ OrbStack update available!              │",
  '│ Run "orb update" to update.             │',
  "╰─────────────────────────────────────────╯",
  "",
].join("\n");

/** On which stream the update notice stands is not known: on either, before what the command prints; after what is streamed. */
export function boxed(answer: ProgramAnswer, where: EngineSettings["banner"], isStreamed: boolean): ProgramAnswer {
  if (where === "none") return answer;
  return { ...answer, [where]: isStreamed ? answer[where] + BOX : BOX + answer[where] };
}
