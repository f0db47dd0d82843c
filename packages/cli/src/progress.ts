import type { RuntimeEvent } from "@slipway/core";
import { printable, type Secrets, styleFor } from "./printable.ts";
import { formatDuration } from "./quantities.ts";
import type { World } from "./world.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
const CLEAR_LINE = "\r\u001b[2K";

/** One line on the terminal that says what is going on, and goes away when it is done. Elsewhere it says nothing. */
export class Progress {
  readonly #world: World;
  readonly #shown: boolean;
  readonly #verbose: boolean;
  readonly #secrets: Secrets;
  #label: string | undefined;
  #detail = "";
  #since = 0;
  #frame = 0;
  #drawn = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(world: World, options: { readonly json: boolean; readonly verbose: boolean; readonly secrets: Secrets }) {
    this.#world = world;
    this.#verbose = options.verbose && !options.json;
    this.#shown = world.stderr.isTTY && !options.json && !this.#verbose && world.env["TERM"] !== "dumb";
    this.#secrets = options.secrets;
  }

  /** What the user waits for, while `work` runs. */
  async during<T>(label: string, work: () => Promise<T>): Promise<T> {
    this.#label = label;
    this.#since = this.#world.clock.now();
    if (this.#shown) {
      // The first frame comes with the first tick: what is done at once does not flicker.
      this.#timer = setInterval(() => this.#draw(), FRAME_MS);
      this.#timer.unref();
    }
    try {
      return await work();
    } finally {
      this.stop();
    }
  }

  /** Takes the line away; also before anything else is written to the terminal. */
  stop(): void {
    clearInterval(this.#timer);
    this.clear();
    this.#label = undefined;
    this.#detail = "";
  }

  /** What stands behind the label from now on. */
  detail(text: string): void {
    this.#detail = text;
  }

  /** Makes space for another line; the next frame draws this one again below it. */
  clear(): void {
    if (this.#drawn) this.#world.stderr.write(CLEAR_LINE);
    this.#drawn = false;
  }

  /** What the providers and control tell. */
  readonly onEvent = (event: RuntimeEvent): void => {
    const text = this.#secrets.redact(printable(describeEvent(event)));
    if (this.#verbose) this.#world.stderr.write(`${styleFor(this.#world.stderr, this.#world.env)("quiet", text)}\n`);
    // Calls and looks are too many to read: the line tells what takes long, or was found.
    const isLook = event.type === "wait" && event.reason === "poll";
    if (!event.type.startsWith("call.") && !isLook) this.#detail = text;
  };

  #draw(): void {
    const elapsed = this.#world.clock.now() - this.#since;
    const time = elapsed < 1000 ? "" : ` ${formatDuration(elapsed)}`;
    const detail = this.#detail === "" ? "" : ` · ${this.#detail}`;
    const frame = FRAMES[this.#frame++ % FRAMES.length] ?? "";
    // A line that wraps would not be cleared whole.
    const text = printable(`${frame} ${this.#label ?? ""}${time}${detail}`).slice(
      0,
      (this.#world.stderr.columns || 80) - 1,
    );
    this.#drawn = true;
    this.#world.stderr.write(`${CLEAR_LINE}${text}`);
  }
}

/** One event in a line. */
function describeEvent(event: RuntimeEvent): string {
  const who = event.provider;
  switch (event.type) {
    case "call.start":
      return `${who}: ${event.operation}${subject(event.id ?? event.key)}`;
    case "call.end":
      return event.outcome === "ok"
        ? `${who}: ${event.operation} done in ${event.durationMs} ms`
        : `${who}: ${event.operation} failed after ${event.durationMs} ms with ${event.code ?? "INTERNAL"}, effect ${event.effect ?? "unknown"}`;
    case "wait":
      return `${who}: waits ${event.ms} ms (${event.reason})`;
    case "placement.tried":
      return `${who}: ${event.placement}: ${event.outcome}`;
    case "offering.unavailable":
      return `${who}: ${event.offering} has none free`;
    case "batch.sent":
      return `${who}: ${event.operation} for ${event.size} at once`;
    case "launch.adopted":
      return `${who}: found ${event.id} of an earlier try`;
    case "command.run":
      return `${who}: ran ${event.command.join(" ")} (exit ${event.exitCode ?? "none"}, ${event.durationMs} ms)`;
  }
}

function subject(text: string | undefined): string {
  return text === undefined ? "" : ` ${text}`;
}
