import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  detectIsolation,
  endSandbox,
  type IsolationReport,
  type SandboxLayout,
  sandboxLayout,
  sandboxState,
  startSandbox,
} from "@slipway/provider-kit/sandbox";
import type { Daemon } from "./daemon.ts";
import type { MachineRecord } from "./state.ts";

let report: IsolationReport | undefined;

export async function isolationOf(): Promise<IsolationReport> {
  report ??= await detectIsolation();
  return report;
}

/** Where a machine's files and processes are. */
export function sandboxOf(directory: string, id: string): { readonly id: string; readonly directory: string } {
  const place = createHash("sha256").update(directory).digest("hex").slice(0, 12);
  return { id: `orb-${place}-${id}`, directory: join(directory, "machines", id) };
}

export function layoutOf(directory: string, id: string): SandboxLayout {
  return sandboxLayout(sandboxOf(directory, id).directory);
}

/** The machine's processes, begun with the first program that runs inside since its start. */
export async function ensureSandbox(
  daemon: Daemon,
  machine: MachineRecord,
): Promise<NonNullable<MachineRecord["sandbox"]>> {
  if (machine.sandbox !== undefined && (await sandboxState(machine.sandbox)) === "alive") return machine.sandbox;
  const isolation = await isolationOf();
  const own = sandboxOf(daemon.directory, machine.id);
  const layout = sandboxLayout(own.directory);
  // A start that was cut off may have left a process that nobody noted. Where none was ever begun there is nothing to look for.
  if (machine.sandbox !== undefined || existsSync(layout.status)) await endSandbox(own);
  mkdirSync(layout.root, { recursive: true });
  machine.sandbox = await startSandbox({
    ...own,
    isolation,
    argv: ["sleep", "2147483647"],
    environment: environmentOf(daemon.directory, machine.id, isolation),
    hostname: machine.name,
  });
  return machine.sandbox;
}

/** Where the processes see this host's own root, what is the machine's own lies below its root. */
export function environmentOf(
  directory: string,
  id: string,
  { isolation }: Pick<IsolationReport, "isolation">,
): Record<string, string> {
  if (isolation === "bubblewrap") return {};
  return { SLIPWAY_BOOTSTRAP_DIR: join(layoutOf(directory, id).root, "var/lib/slipway/bootstrap") };
}

const MOVED = /(?<![\w./-])(?=\/var\/lib\/slipway(?![\w-]))/g;

/** The words of a command, or its input, as they have to be where this host has no bubblewrap. */
export function movedInto(
  layout: SandboxLayout,
  { isolation }: Pick<IsolationReport, "isolation">,
  words: readonly string[],
): readonly string[] {
  return isolation === "bubblewrap" ? words : words.map((word) => word.replace(MOVED, layout.root));
}

const MOST_LINKS = 40;

/**
 * A path of the machine as this host has it, links inside followed as the machine would follow them; null for one that
 * would lead out of the machine, or in a circle.
 */
export function hostPath(layout: SandboxLayout, path: string): string | null {
  const rest = path.split("/").filter((part) => part !== "" && part !== ".");
  let inside: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const part = rest.shift() ?? "";
    if (part === "..") return null;
    const target = linkAt(join(layout.root, ...inside, part));
    if (target === null) {
      inside.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return null;
    if (target.startsWith("/")) inside = [];
    rest.unshift(...target.split("/").filter((each) => each !== "" && each !== "."));
  }
  return join(layout.root, ...inside);
}

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // It is no link, or not there at all.
    return null;
  }
}

/** What does not survive a stop. */
export function clearTemporary(directory: string, id: string): void {
  const { root } = layoutOf(directory, id);
  rmSync(join(root, "tmp"), { recursive: true, force: true });
}
