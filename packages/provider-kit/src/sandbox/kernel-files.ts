import { lstatSync, readdirSync } from "node:fs";

// What tells of the machine's memory, keys and timers, or does something to it. The same that container runtimes mask.
const MASKED: ReadonlySet<string> = new Set([
  "acpi",
  "asound",
  "dynamic_debug",
  "interrupts",
  "kallsyms",
  "kcore",
  "key-users",
  "keys",
  "kmsg",
  "kpagecgroup",
  "kpagecount",
  "kpageflags",
  "latency_stats",
  "sched_debug",
  "scsi",
  "slabinfo",
  "sysrq-trigger",
  "timer_list",
  "timer_stats",
  "vmallocinfo",
]);

/**
 * Mounts over everything in `/proc` that is no process: masked, or read-only. bubblewrap leaves `/proc/sys` as it is, and
 * there the owner of a file writes it without any capability: a caller who is root outside would write the host's
 * settings. Read from this kernel's own list, so that a file which a later kernel adds is closed too. Something that is
 * mounted over also keeps a nested namespace from mounting a `/proc` of its own without these.
 */
export function kernelMountArguments(proc = "/proc"): string[] {
  return readdirSync(proc)
    .filter((name) => !/^\d+$/.test(name))
    .flatMap((name) => {
      const path = `${proc}/${name}`;
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined || found.isSymbolicLink()) return [];
      if (MASKED.has(name)) {
        return found.isDirectory() ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path];
      }
      return ["--ro-bind", path, path];
    });
}
