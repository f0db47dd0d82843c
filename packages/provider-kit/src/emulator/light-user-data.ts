/** What our own reader of user data makes of it: a script for `/bin/sh` as root, and keys for the log-in. */
export interface LightUserData {
  readonly script: string;
  readonly sshKeys: readonly string[];
}

/**
 * Reads a script or a cloud-config as cloud-init would, as far as `ssh_authorized_keys`, `write_files`, `bootcmd` and
 * `runcmd` go. Throws for anything else: an emulated machine must not quietly leave something out.
 */
export async function readLightUserData(text: string): Promise<LightUserData> {
  if (text === "") return { script: ":\n", sshKeys: [] };
  if (text.startsWith("#!")) return { script: runScript(text), sshKeys: [] };
  if (!text.startsWith("#cloud-config")) throw new Error("user data is neither a script nor a cloud-config");
  // Loaded here: most emulators run no machine.
  const { parse } = await import("yaml");
  const config: unknown = parse(text);
  if (!isRecord(config)) throw new Error("the cloud-config is not a mapping");
  const { ssh_authorized_keys = [], write_files = [], bootcmd = [], runcmd = [], ...others } = config;
  const left = Object.keys(others);
  if (left.length > 0) throw new Error(`the cloud-config has what this reader does not do: ${left.join(", ")}`);
  const lines = [
    ...listOf(bootcmd, "bootcmd").map(commandLine),
    ...listOf(write_files, "write_files").map(writeFile),
    ...listOf(runcmd, "runcmd").map(commandLine),
  ];
  return { script: `${lines.join("\n")}\n`, sshKeys: listOf(ssh_authorized_keys, "ssh_authorized_keys").map(textOf) };
}

function runScript(text: string): string {
  const path = "/var/lib/cloud/user-script";
  return `${writeFile({ path, permissions: "0700", content: text })}\n${quote(path)}\n`;
}

function commandLine(command: unknown): string {
  if (typeof command === "string") return command;
  return listOf(command, "a command")
    .map((word) => quote(textOf(word)))
    .join(" ");
}

function writeFile(entry: unknown): string {
  if (!isRecord(entry)) throw new Error("write_files has an entry that is not a mapping");
  const { path, content = "", encoding, permissions = "0644", owner = "root:root", ...others } = entry;
  const left = Object.keys(others);
  if (left.length > 0 || owner !== "root:root") throw new Error("write_files has what this reader does not do");
  const isBase64 = encoding === "b64" || encoding === "base64";
  if (encoding !== undefined && !isBase64) throw new Error(`write_files: encoding ${textOf(encoding)} is not read`);
  const target = quote(textOf(path));
  const bytes = isBase64 ? textOf(content) : Buffer.from(textOf(content)).toString("base64");
  const mode = quote(textOf(permissions));
  return `mkdir -p "$(dirname ${target})" && base64 -d >${target} <<'EOF'\n${bytes}\nEOF\nchmod ${mode} ${target}`;
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
