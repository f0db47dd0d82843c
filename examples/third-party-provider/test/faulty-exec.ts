import type { CommandResult, ErrorCode, Exec } from "@slipway/core";
import { type Fault, type FaultScript, faultScript } from "@slipway/provider-kit/emulator";
import { sshErrorTable } from "../src/index.ts";

// What each operation of the contract does on a host.
const VERBS: Readonly<Record<string, string>> = { spawn: "claim", terminate: "release", list: "list", get: "list" };
const IDS: ReadonlyMap<ErrorCode, string> = new Map([
  ["AUTH_ERROR", "permission-denied"],
  ["NETWORK", "refused"],
  ["TIMEOUT", "connect-timeout"],
  ["QUOTA_EXCEEDED", "disk-full"],
]);
const BROKEN = "broken-connection";

export interface FaultyExec {
  readonly exec: Exec;
  readonly faults: FaultScript;
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
}

/** A runner that breaks where a fault stands, before ssh runs or after it has. */
export function faultyExec(exec: Exec): FaultyExec {
  const faults = faultScript();
  return {
    faults,
    supports: ({ operation, when, code }) => {
      if (VERBS[operation] === undefined || when === "stale-read" || when === "delayed") return false;
      if (when === "after") return code === undefined || code === "NETWORK";
      return when === "reply-lost" || code === undefined || IDS.has(code);
    },
    exec: async (file, args, options) => {
      const verb = /slipway '[^']*' '(\w+)'/.exec(args.at(-1) ?? "")?.[1];
      const names = Object.keys(VERBS).filter((name) => VERBS[name] === verb);
      const fault = names.length === 0 ? undefined : faults.take(names);
      if (fault?.when === "before") return answerOf(fault.row ?? IDS.get(fault.code ?? "NETWORK") ?? "refused");
      const result = await exec(file, args, options);
      return fault === undefined ? result : answerOf(BROKEN);
    },
  };
}

function answerOf(id: string): CommandResult {
  const row = sshErrorTable.find((one) => one.id === id);
  return { exitCode: row?.exitCode ?? 255, signal: null, stdout: "", stderr: `ssh: ${row?.text ?? "it broke"}\r\n` };
}
