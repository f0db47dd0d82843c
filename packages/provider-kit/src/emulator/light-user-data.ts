import { splitUserData, type UserDataPart } from "./user-data-parts.ts";

/** What our own reader of user data makes of it: scripts for `/bin/sh` as root, and keys for the log-in. */
export interface LightUserData {
  /** At each start, before the other one. */
  readonly everyStart: string;
  readonly firstStart: string;
  readonly sshKeys: readonly string[];
}

type Step = (typeof STEPS)[number];
type Steps = Partial<Record<Step, readonly unknown[]>>;

const STEPS = ["bootcmd", "write_files", "runcmd", "ssh_authorized_keys"] as const;

/**
 * Reads scripts, boothooks and cloud-configs as cloud-init would, as far as `ssh_authorized_keys`, `write_files`, `bootcmd`
 * and `runcmd` go. Throws for anything else: an emulated machine must not quietly leave something out.
 */
export async function readLightUserData(userData: string | Uint8Array): Promise<LightUserData> {
  const parts = splitUserData(userData);
  let steps: Steps = {};
  for (const { type, text, lists } of parts) {
    if (type === "cloud-config") steps = merged(steps, await readConfig(text), lists);
  }
  const hooks = parts
    .filter(({ type }) => type === "boothook")
    .map(({ text }, at) => runFile(`boothook-${at + 1}`, text));
  const run = parts
    .filter(({ type }) => type === "script")
    .map(({ text }, at) => runFile(`user-script-${at + 1}`, text));
  const { bootcmd = [], write_files = [], runcmd = [], ssh_authorized_keys = [] } = steps;
  const files = write_files.map((entry) => ({ late: isRecord(entry) && entry["defer"] === true, entry }));
  const [soon, late] = [files.filter((file) => !file.late), files.filter((file) => file.late)];
  return {
    everyStart: [...hooks, commands(bootcmd)].join(""),
    // cloud-init's order: its own scripts by their names, of which `runcmd` is the last.
    firstStart: [...[...soon, ...late].map(({ entry }) => `${writeFile(entry)}\n`), ...run, commands(runcmd)].join(""),
    sshKeys: ssh_authorized_keys.map(textOf),
  };
}

function runFile(name: string, content: string): string {
  const path = `/var/lib/cloud/${name}`;
  return `${writeFile({ path, permissions: "0700", content })}\n${quote(path)}\n`;
}

async function readConfig(text: string): Promise<Steps> {
  // Loaded here: most emulators run no machine.
  const { parse } = await import("yaml");
  // cloud-init reads YAML 1.1, where 0644 is octal and yes is true.
  const config: unknown = parse(text, { version: "1.1" });
  if (!isRecord(config)) throw new Error("the cloud-config is not a mapping");
  const left = Object.keys(config).filter((name) => !isStep(name));
  if (left.length > 0) throw new Error(`the cloud-config has what this reader does not do: ${left.join(", ")}`);
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, listOf(value, name)]));
}

function isStep(name: string): name is Step {
  return STEPS.some((step) => step === name);
}

function merged(before: Steps, added: Steps, lists: UserDataPart["lists"]): Steps {
  if (lists === "replace") return { ...before, ...added };
  const joined = STEPS.flatMap((step): [Step, readonly unknown[]][] => {
    const both = [...(before[step] ?? []), ...(added[step] ?? [])];
    return both.length === 0 ? [] : [[step, both]];
  });
  return Object.fromEntries(joined);
}

/** In a shell of their own: one that exits ends the others of its list, and nothing else. */
function commands(list: readonly unknown[]): string {
  return list.length === 0 ? "" : `(\n${list.map(commandLine).join("\n")}\n)\n`;
}

function commandLine(command: unknown): string {
  if (typeof command === "string") return command;
  return listOf(command, "a command")
    .map((word) => quote(textOf(word)))
    .join(" ");
}

function writeFile(entry: unknown): string {
  if (!isRecord(entry)) throw new Error("write_files has an entry that is not a mapping");
  const { path, content = "", encoding, permissions = "0644", owner = "root:root", append = false, ...rest } = entry;
  const { defer = false, ...others } = rest;
  const isPlain = owner === "root:root" && typeof append === "boolean" && typeof defer === "boolean";
  if (Object.keys(others).length > 0 || !isPlain) throw new Error("write_files has what this reader does not do");
  const isBase64 = encoding === "b64" || encoding === "base64";
  const isPacked = encoding === "gzip+b64" || encoding === "gz+b64" || encoding === "gzip+base64";
  if (encoding !== undefined && !isBase64 && !isPacked) {
    throw new Error(`write_files: encoding ${textOf(encoding)} is not read`);
  }
  const target = quote(textOf(path));
  const bytes = isBase64 || isPacked ? textOf(content) : Buffer.from(textOf(content)).toString("base64");
  const mode = quote(typeof permissions === "number" ? permissions.toString(8) : textOf(permissions));
  const decode = `base64 -d <<'EOF'${isPacked ? " | gzip -dc" : ""} ${append ? ">>" : ">"}${target}`;
  return `mkdir -p "$(dirname ${target})" && ${decode}\n${bytes}\nEOF\nchmod ${mode} ${target}`;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value;
}

function textOf(value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new Error("the cloud-config has a value where a text belongs");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
