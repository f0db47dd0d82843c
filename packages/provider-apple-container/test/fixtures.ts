/** What `container` prints on stderr, by the row of the error table that it has to become. Word for word, by hand. */
export interface Fixture {
  readonly verb: string;
  readonly exitCode: number;
  readonly stderr: string;
}

const START = "Ensure container system service has been started with `container system start`.";
const failed = (verb: string, said: string, exitCode = 1): Fixture => ({
  verb,
  exitCode,
  stderr: `Error: ${said}\n`,
});

export const fixtures: Readonly<Record<string, Fixture>> = {
  "service-interrupted": failed("run", `interrupted: "XPC connection error: Connection interrupted"\n${START}`),
  "service-down": failed("run", `interrupted: "XPC connection error: Connection invalid"\n${START}`),
  "name-taken": failed("run", "container with id slip-a already exists"),
  "port-in-use": failed(
    "run",
    'failed to bootstrap container (cause: "unknown: "bind(descriptor:ptr:bytes:): Address already in use (errno: 48)"")',
  ),
  "port-forbidden": failed(
    "run",
    'failed to bootstrap container (cause: "internalError: "Permission denied while binding to host port 80. Binding to ports below 1024 requires root privileges."")',
  ),
  "ports-overlap": failed("run", "host ports for different publish port specs may not overlap"),
  "kernel-missing": failed(
    "run",
    "default kernel not configured for architecture arm64, please use the `container system kernel set` command to configure it",
  ),
  "memory-too-small": failed("run", "minimum memory amount allowed is 200 MiB (got 524288 bytes)"),
  "bad-label": failed("run", "invalid label format a=b=c"),
  "networks-need-macos-26": failed("run", "non-default network configuration requires macOS 26 or newer"),
  "network-missing": failed("run", "network build not found"),
  "nested-virtualization": failed("run", "nested virtualization is not supported on the platform"),
  "volume-exists": failed("volume create", "volume 'slip-a' already exists"),
  "volume-in-use": failed("volume delete", 'delete failed for one or more volumes: ["slip-a"]'),
  "volume-missing": failed("volume delete", 'failed to delete one or more volumes: ["slip-a"]'),
  "platform-missing": failed("run", "image sha256:2510 does not support required platforms"),
  "bad-image-reference": failed("run", "invalid format for image reference Not An Image"),
  "image-not-found": failed(
    "image pull",
    "HTTP request to https://registry-1.docker.io/v2/library/nope/manifests/latest failed with response: 401 Unauthorized. Reason: denied, no credentials found for host registry-1.docker.io",
  ),
  "executable-missing": failed(
    "run",
    'failed to bootstrap container (cause: "internalError: "failed to find target executable /bin/sh"")',
  ),
  "bad-argument": failed("run", "invalid publish value: 127.0.0.1:x"),
  "boot-failed": failed("run", 'failed to bootstrap container (cause: "internalError: "the machine did not boot"")'),
  "still-running": failed(
    "delete",
    'internalError: "failed to delete container" (cause: "invalidState: "container slip-a is running and can not be deleted"")',
  ),
  "not-running": failed("exec", "container slip-a is not running"),
  "container-not-found": failed("exec", "get failed: container slip-a not found"),
  "plugin-missing": failed(
    "network list",
    "Plugin 'container-network' not found.\nUsage: container <subcommand>\n  See 'container --help' for more information.",
    64,
  ),
  usage: failed(
    "run",
    "Unknown option '--init'\nUsage: container run [<options>] <image>\n  See 'container run --help' for more information.",
    64,
  ),
  "unknown-words": failed("run", "the flux is not compensated"),
};
