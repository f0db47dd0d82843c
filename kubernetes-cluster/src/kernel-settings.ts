import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

// Written by the kernel at every new process.
const CHANGES_BY_ITSELF = new Set(["/proc/sys/kernel/ns_last_pid"]);

/** Every setting of the kernel that can be written, and its value. What can only be read is a count. */
export function kernelSettings(folder = "/proc/sys"): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) Object.assign(found, kernelSettings(file));
    else if (!CHANGES_BY_ITSELF.has(file) && (statSync(file).mode & 0o600) === 0o600) found[file] = textOf(file);
  }
  return found;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // Some need rights that even root does not have here: then nobody here can have written them.
    return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
  }
}

/** The settings that differ, one line each. */
export function changedSettings(before: Readonly<Record<string, string>>): readonly string[] {
  const now = kernelSettings();
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((file) => before[file] !== now[file])
    .map((file) => `${file}: ${before[file]?.trim()} before, ${now[file]?.trim()} now`);
}
