import { kernelMountArguments, namespaceArguments, type SandboxBind } from "./bubblewrap.ts";
import type { IsolationTools } from "./isolation.ts";
import { linkTarget, SYSTEM_DIRECTORIES } from "./layout.ts";

// Enough to copy files with all that belongs to them, whoever owns them.
const COPIES_ANYTHING = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"];

/**
 * A command of this machine that sees the system's directories, read-only, and these binds: nothing else of the host. For
 * work on files of a sandbox that may change under it: whatever link such a path becomes, it leads to nothing of the host.
 * No shell and no setting of the sandbox takes part. The command ends with the process that starts it.
 */
export function confineCommand(
  tools: Pick<IsolationTools, "bwrap">,
  binds: readonly SandboxBind[],
  argv: readonly string[],
): readonly [file: string, args: readonly string[]] {
  const system = SYSTEM_DIRECTORIES.flatMap((path) => {
    const target = linkTarget(path);
    if (target === null) return [];
    return target === "" ? ["--ro-bind", path, path] : ["--symlink", target, path];
  });
  const mounts = binds.flatMap(({ source, target, readOnly }) => [
    readOnly === true ? "--ro-bind" : "--bind",
    source,
    target,
  ]);
  // Programs change a mode by way of their own /proc.
  const kernel = ["--proc", "/proc", ...kernelMountArguments()];
  const life = ["--die-with-parent", "--new-session"];
  return [tools.bwrap, [...confinement(), ...life, ...system, ...kernel, ...mounts, "--chdir", "/", "--", ...argv]];
}

/** In a namespace of one user the files of any other could be neither read nor kept as they are, so root stays root. */
function confinement(): readonly string[] {
  if (process.getuid?.() !== 0) return namespaceArguments({ hostname: "confined", network: "isolated" });
  const capabilities = COPIES_ANYTHING.flatMap((name) => ["--cap-add", `CAP_${name}`]);
  return [
    ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--unshare-net"],
    ...["--cap-drop", "ALL", ...capabilities],
  ];
}
