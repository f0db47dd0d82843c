import type { ErrorCode } from "@slipway/core";
import type { Fault } from "@slipway/provider-kit/emulator";

interface Word {
  /** The remote's code. */
  readonly says: string;
  /** Where it says so; everywhere if absent. */
  readonly at?: readonly string[];
}

// What the remote says where a fault asks for a code of the contract.
const WORDS: ReadonlyMap<ErrorCode, Word> = new Map<ErrorCode, Word>([
  ["AUTH_ERROR", { says: "bad-credentials" }],
  ["INVALID_SPEC", { says: "invalid" }],
  ["QUOTA_EXCEEDED", { says: "quota" }],
  ["CAPACITY_ERROR", { says: "no-capacity" }],
  ["RATE_LIMIT_ERROR", { says: "throttled" }],
  ["BUSY", { says: "in-transition" }],
  ["UNAVAILABLE", { says: "unavailable" }],
  ["NOT_FOUND", { says: "not-found", at: ["list"] }],
  // #if idempotentSpawn
  ["CONFLICT", { says: "name-taken", at: ["spawn"] }],
  // #end
  // #if persistentVolumes
  // #if hibernation
  ["INVALID_STATE", { says: "in-use", at: ["deleteVolume", "hibernate"] }],
  // #else
  ["INVALID_STATE", { says: "in-use", at: ["deleteVolume"] }],
  // #end
  // #else
  // #if hibernation
  ["INVALID_STATE", { says: "wrong-state", at: ["hibernate"] }],
  // #end
  // #end
]);

/** The methods of the contract that have a request of their own, by that request. */
export const SERVES: ReadonlyMap<string, string> = new Map([
  ["machines create", "spawn"],
  ["machines list", "list"],
  ["machines read", "get"],
  ["machines delete", "terminate"],
  // #if hibernation
  ["machines save", "hibernate"],
  // #end
  // #if persistentVolumes
  ["disks delete", "deleteVolume"],
  // #end
]);
const FAULTY: ReadonlySet<string> = new Set(SERVES.values());

/** Can a fault stand there as the remote would show it? */
export function canPlace({ operation, when, code }: Pick<Fault, "operation" | "when" | "code">): boolean {
  if (!FAULTY.has(operation) || when === "stale-read") return false;
  // After the effect the remote denies nothing: it says that it failed, or nothing.
  if (when === "after") return code === undefined || code === "UNAVAILABLE";
  if (when !== "before" || code === undefined) return true;
  const word = WORDS.get(code);
  return word !== undefined && (word.at?.includes(operation) ?? true);
}

/** The remote's code that a fault asks for: by the row of the error table, or by the contract's code. */
export function wordFor({ row, code = "UNAVAILABLE" }: Fault): string {
  return row ?? WORDS.get(code)?.says ?? "unavailable";
}
