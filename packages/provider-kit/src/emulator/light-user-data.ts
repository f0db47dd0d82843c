import { splitUserData } from "./user-data-parts.ts";

/** What our own reader of user data makes of it: scripts for `/bin/sh` as root, and keys for the log-in. */
export interface LightUserData {
  /** At each start, before the other one. */
  readonly everyStart: string;
  readonly firstStart: string;
  readonly sshKeys: readonly string[];
}

interface Steps {
  readonly bootcmd: unknown[];
  readonly write_files: unknown[];
  readonly runcmd: unknown[];
  readonly ssh_authorized_keys: unknown[];
}

/**
 * Reads scripts and cloud-configs as cloud-init would, as far as `ssh_authorized_keys`, `write_files`, `bootcmd` and
 * `runcmd` go. Lists of several parts are joined. Throws for anything else: an emulated machine must not quietly leave
 * something out.
 */
export async function readLightUserData(userData: string | Uint8Array): Promise<LightUserData> {
  const parts = splitUserData(userData);
  const steps: Steps = { bootcmd: [], write_files: [], runcmd: [], ssh_authorized_keys: [] };
  const scripts: string[] = [];
  for (const { type, text } of parts) {
    if (type === "script") scripts.push(text);
    else await addConfig(steps, text);
  }
  const run = scripts.map((text, at) => {
    const path = `/var/lib/cloud/user-script-${at + 1}`;
    return `${writeFile({ path, permissions: "0700", content: text })}\n${quote(path)}\n`;
  });
  return {
    everyStart: commands(steps.bootcmd),
    // cloud-init's order: its own scripts by their names, of which `runcmd` is the last.
    firstStart: [...steps.write_files.map((entry) => `${writeFile(entry)}\n`), ...run, commands(steps.runcmd)].join(""),
    sshKeys: steps.ssh_authorized_keys.map(textOf),
  };
}

async function addConfig(steps: Steps, text: string): Promise<void> {
  // Loaded here: most emulators run no machine.
  const { parse } = await import("yaml");
  const config: unknown = parse(text);
  if (!isRecord(config)) throw new Error("the cloud-config is not a mapping");
  const { ssh_authorized_keys = [], write_files = [], bootcmd = [], runcmd = [], ...others } = config;
  const left = Object.keys(others);
  if (left.length > 0) throw new Error(`the cloud-config has what this reader does not do: ${left.join(", ")}`);
  steps.ssh_authorized_keys.push(...listOf(ssh_authorized_keys, "ssh_authorized_keys"));
  steps.write_files.push(...listOf(write_files, "write_files"));
  steps.bootcmd.push(...listOf(bootcmd, "bootcmd"));
  steps.runcmd.push(...listOf(runcmd, "runcmd"));
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
  const { path, content = "", encoding, permissions = "0644", owner = "root:root", append = false, ...others } = entry;
  const left = Object.keys(others);
  if (left.length > 0 || owner !== "root:root" || typeof append !== "boolean") {
    throw new Error("write_files has what this reader does not do");
  }
  const isBase64 = encoding === "b64" || encoding === "base64";
  const isPacked = encoding === "gzip+b64" || encoding === "gz+b64" || encoding === "gzip+base64";
  if (encoding !== undefined && !isBase64 && !isPacked) {
    throw new Error(`write_files: encoding ${textOf(encoding)} is not read`);
  }
  const target = quote(textOf(path));
  const bytes = isBase64 || isPacked ? textOf(content) : Buffer.from(textOf(content)).toString("base64");
  const mode = quote(textOf(permissions));
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
