import { type CommandErrorRow, type CommandErrorTable, commandErrorTable } from "@slipway/provider-kit/command";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";

export const PROVIDER = "apple-container";

/** What `container` says on stderr, its only channel for errors, and what the user gets. */
export type AppleContainerErrorRow = CommandErrorRow;

const START = "Start the service with `container system start --enable-kernel-install`.";
const spawn = { operation: "spawn", effect: "none" } as const;
const STARTING = ["run", "start"] as const;

export const appleContainerErrorTable: readonly AppleContainerErrorRow[] = [
  {
    ...spawn,
    id: "service-interrupted",
    says: /XPC connection error: Connection interrupted/,
    code: "UNAVAILABLE",
    effect: "unknown",
    hint: `The service ended during the call. ${START}`,
  },
  {
    ...spawn,
    id: "service-down",
    says: /XPC connection error|container system service has been started|Plugins are unavailable/,
    code: "UNAVAILABLE",
    hint: START,
  },
  {
    ...spawn,
    id: "name-taken",
    says: /container with id .+ already exists|container already exists: |hostname\(s\) already exist/,
    verbs: ["run"],
    code: "CONFLICT",
  },
  {
    ...spawn,
    id: "port-in-use",
    says: /Address already in use/,
    verbs: STARTING,
    code: "CONFLICT",
    hint: "Give another hostPort, or none, and a free one is taken.",
  },
  {
    ...spawn,
    id: "port-forbidden",
    says: /Permission denied while binding to host port/,
    verbs: STARTING,
    code: "INVALID_SPEC",
    hint: "Ports below 1024 need root's rights on the Mac: give a hostPort from 1024 on.",
  },
  { ...spawn, id: "ports-overlap", says: /publish port specs may not overlap/, verbs: ["run"], code: "INVALID_SPEC" },
  {
    ...spawn,
    id: "kernel-missing",
    says: /default kernel not configured/,
    code: "UNAVAILABLE",
    hint: "Install the kernel with `container system start --enable-kernel-install`.",
  },
  { ...spawn, id: "memory-too-small", says: /minimum memory amount allowed is 200 MiB/, code: "INVALID_SPEC" },
  {
    ...spawn,
    id: "bad-label",
    says: /invalid label format|label cannot be an empty string/,
    code: "INVALID_SPEC",
  },
  {
    ...spawn,
    id: "networks-need-macos-26",
    says: /non-default network configuration requires macOS 26/,
    code: "UNSUPPORTED",
    hint: "Networks of one's own need macOS 26.",
  },
  { ...spawn, id: "network-missing", says: /network \S+ not found/, verbs: ["run"], code: "INVALID_SPEC" },
  {
    ...spawn,
    id: "nested-virtualization",
    says: /nested virtualization is not supported/,
    code: "UNSUPPORTED",
  },
  {
    id: "volume-exists",
    operation: "createVolume",
    says: /volume '.+' already exists/,
    code: "CONFLICT",
    effect: "none",
  },
  {
    id: "volume-in-use",
    operation: "deleteVolume",
    says: /delete failed for one or more volumes/,
    code: "INVALID_STATE",
    effect: "none",
    hint: "Terminate the instance that it is attached to.",
  },
  {
    id: "volume-missing",
    operation: "deleteVolume",
    says: /failed to delete one or more volumes|volume not found/,
    code: "NOT_FOUND",
    effect: "none",
  },
  {
    ...spawn,
    id: "platform-missing",
    says: /platform linux\/|does not support required platforms/,
    code: "INVALID_SPEC",
    hint: "The image has no variant for this Mac's processor.",
  },
  {
    ...spawn,
    id: "bad-image-reference",
    says: /invalid format for image reference|cannot parse/,
    code: "INVALID_SPEC",
  },
  {
    ...spawn,
    id: "image-not-found",
    says: /image not found: |401 Unauthorized|403 Forbidden|404 Not Found|no credentials found for host|failed to pull image/,
    code: "INVALID_SPEC",
    hint: "Check the image's name, or log in where it is private: `container registry login`.",
  },
  {
    ...spawn,
    id: "executable-missing",
    says: /failed to find target executable/,
    verbs: STARTING,
    code: "INVALID_SPEC",
    hint: "An instance needs an image with /bin/sh.",
  },
  {
    ...spawn,
    id: "bad-argument",
    says: /invalid (publish|mount|volume|size|symbol)|is not a valid container ID|invalid entity name/,
    code: "INVALID_SPEC",
  },
  {
    ...spawn,
    id: "boot-failed",
    says: /failed to bootstrap container/,
    verbs: STARTING,
    code: "UNAVAILABLE",
    effect: "unknown",
    hint: "The virtual machine did not start: `container system logs` tells more.",
  },
  {
    id: "still-running",
    operation: "terminate",
    says: /is running and can not be deleted/,
    code: "INVALID_STATE",
    effect: "none",
  },
  {
    id: "not-running",
    operation: "exec",
    says: /container .+ is not running|no (runtime|sandbox) client exists: container is stopped/,
    code: "INVALID_STATE",
    effect: "none",
  },
  {
    id: "container-not-found",
    operation: "exec",
    says: /container with ID .+ not found|get failed: container .+ not found|container not found: |no such container: /,
    code: "NOT_FOUND",
    effect: "none",
  },
  {
    id: "plugin-missing",
    operation: "onStartup",
    says: /Plugin 'container-.+' not found/,
    exitCode: 64,
    code: "UNSUPPORTED",
    effect: "none",
    hint: "This version of container, or of macOS, does not have the command.",
  },
  {
    ...spawn,
    id: "usage",
    says: /^/,
    exitCode: 64,
    code: "UNSUPPORTED",
    hint: "The installed container does not take this call: 1.2.2 to 1.4.x are recommended.",
  },
];

const table = commandErrorTable({
  provider: PROVIDER,
  program: "container",
  rows: appleContainerErrorTable,
  sentenceIn: (stderr) => {
    const at = stderr.search(/^Error: /m);
    const sentence = at === -1 ? stderr : stderr.slice(at + "Error: ".length);
    return sentence.replace(/\sUsage: .*$/s, "");
  },
});

export const rowOf: CommandErrorTable["rowOf"] = table.rowOf;
export const answeredError: CommandErrorTable["answeredError"] = table.answeredError;

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);
