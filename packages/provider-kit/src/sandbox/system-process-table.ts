import { linuxProcessTable } from "./linux-process-table.ts";
import type { ProcessTable } from "./process-table.ts";
import { psProcessTable } from "./ps-process-table.ts";
import { SandboxError } from "./sandbox-error.ts";

/** The table of the running platform. Throws SandboxError `unsupported` where there is none. */
export function systemProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  if (platform === "linux") return linuxProcessTable();
  if (platform === "darwin" || platform === "freebsd" || platform === "openbsd") return psProcessTable();
  throw new SandboxError("unsupported", `process groups are not supported on ${platform}; use Linux or macOS`);
}
