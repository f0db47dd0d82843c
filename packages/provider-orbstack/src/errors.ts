import { isProviderError, type ProviderError } from "@slipway/core";
import { type CommandErrorRow, type CommandErrorTable, commandErrorTable } from "@slipway/provider-kit/command";
import { type Refusal, refusals, withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";

export const PROVIDER = "orbstack";

/** What `orbctl` says anywhere in stderr, since an update notice may stand before it, and what the user gets. */
export type OrbstackErrorRow = CommandErrorRow;

export const ADDRESS_HINT: string =
  "OrbStack has run out of addresses. Do not create in a loop. Stop machines before you delete them, reuse machines, and " +
  "to recover set network.subnet4 to another /23 and back: `orbctl config set network.subnet4 192.168.140.0/23`.";
const IMAGE_HINT = "OrbStack could not fetch the image: check this Mac's network and DNS, and try again.";

const MAKING = ["create", "clone"] as const;
const spawn = { operation: "spawn", effect: "none" } as const;

export const orbstackErrorTable: readonly OrbstackErrorRow[] = [
  {
    ...spawn,
    id: "home-missing",
    says: /\$HOME is not defined/,
    code: "UNAVAILABLE",
    hint: "orbctl needs the variable HOME.",
  },
  {
    ...spawn,
    id: "services-late",
    says: /timed out waiting for services to start/,
    code: "UNAVAILABLE",
    hint: "OrbStack did not come up: open it, and see `orbctl status`.",
  },
  {
    id: "client-crashed",
    operation: "terminate",
    says: /SIGSEGV|nil pointer dereference/,
    code: "INTERNAL",
    effect: "unknown",
    hint: "orbctl itself crashed: update OrbStack.",
  },
  { ...spawn, id: "name-taken", says: /machine already exists/, verbs: MAKING, code: "CONFLICT" },
  {
    ...spawn,
    id: "image-not-found",
    says: /image not found/,
    code: "INVALID_SPEC",
    hint: "`orbctl create --help` lists the distributions; images at their end of life are removed.",
  },
  {
    ...spawn,
    id: "no-address",
    says: /missing IP address/,
    code: "CAPACITY_ERROR",
    scope: "provider",
    hint: ADDRESS_HINT,
  },
  {
    ...spawn,
    id: "no-network",
    says: /timed out waiting for network/,
    code: "CAPACITY_ERROR",
    scope: "provider",
    hint: ADDRESS_HINT,
  },
  { ...spawn, id: "image-index", says: /make rootfs: fetch index/, code: "UNAVAILABLE", hint: IMAGE_HINT },
  {
    ...spawn,
    id: "image-download",
    says: /make rootfs: download (?:rootfs|metadata)/,
    code: "UNAVAILABLE",
    hint: IMAGE_HINT,
  },
  {
    ...spawn,
    id: "machine-crashed",
    says: /machine crashed on startup/,
    code: "UNAVAILABLE",
    hint: "The machine did not boot: amd64 images are more fragile than arm64 ones.",
  },
  { ...spawn, id: "setup-cancelled", says: /cancel by machine shutdown/, code: "UNAVAILABLE" },
  {
    id: "in-transition",
    operation: "terminate",
    says: /(?:cannot|invalid) transition/,
    code: "BUSY",
    effect: "none",
    hint: "The machine is on its way to another state: try again in a moment.",
  },
  {
    id: "read-only-files",
    operation: "terminate",
    says: /delete rootfs: .*read-only file system/,
    code: "UNAVAILABLE",
    effect: "unknown",
    hint: "Some files of the machine could not be removed: restart OrbStack, then terminate it again.",
  },
  {
    id: "no-space",
    operation: "spawn",
    says: /no space left on device/,
    code: "CAPACITY_ERROR",
    scope: "provider",
    effect: "none",
    hint: "The disk, or the machine's own cap, is full.",
  },
  {
    id: "machine-not-found",
    operation: "exec",
    // Not a bare "not found": an image or a download may be that too.
    says: /(?:machine not found|no machine found): '/,
    code: "NOT_FOUND",
    effect: "none",
  },
  {
    id: "no-console",
    operation: "logs",
    says: /has no logs of type/,
    verbs: ["logs"],
    code: "INVALID_STATE",
    effect: "none",
  },
  {
    id: "unknown-user",
    operation: "exec",
    says: /^user: unknown user /m,
    verbs: ["run"],
    code: "INTERNAL",
    effect: "none",
    hint: "The machine has no user root.",
  },
  {
    ...spawn,
    id: "usage",
    says: /unknown (?:shorthand )?flag|unknown command/,
    code: "UNSUPPORTED",
    hint: "The installed OrbStack does not take this call: update it.",
  },
];

const table = commandErrorTable({
  provider: PROVIDER,
  program: "orbctl",
  rows: orbstackErrorTable,
  // What follows the code of its RPC, without the box of an update notice.
  sentenceIn: (stderr) => {
    const at = stderr.search(/^\[-\d+\] /m);
    const lines = (at === -1 ? stderr : stderr.slice(at)).split("\n");
    return lines.filter((line) => !/^\s*[┌│└╭╰]/.test(line)).join(" ");
  },
});

export const rowOf: CommandErrorTable["rowOf"] = table.rowOf;
export const answeredError: CommandErrorTable["answeredError"] = table.answeredError;

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);

const WENT_AWAY = "went-away";

/** Throws what failed after a machine was made: whatever it is, that much is done. */
export function applied(error: unknown): never {
  throw isProviderError(error) && error.native?.code !== WENT_AWAY ? withEffect(error, "applied") : error;
}

/** Something was made, and somebody has removed it since. */
export function wentAway({ operation }: Call, machine: string): ProviderError {
  return refusal("UNAVAILABLE", operation, `${machine} was made, and is not there any more`, {
    effect: "unknown",
    hint: "Somebody has removed it: a further call makes another one.",
    native: { code: WENT_AWAY },
  });
}
