import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { onTestFinished, vi } from "vitest";

export interface Recorded {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

export interface Recorder {
  readonly directory: string;
  /** What was run, in order. */
  readonly commands: () => Promise<readonly Recorded[]>;
}

const PROGRAMS = ["sbatch", "squeue", "scontrol", "scancel", "srun", "sinfo"];

/** Programs with the names of Slurm's stand first in PATH: they write down what they get, and know of no job. */
export async function recordedCommands(overTime = "0 min", partitions = ""): Promise<Recorder> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-slurm-recorded-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  // One line for each command: its name, and in base64 its words, its variables and its stdin.
  const record = `#!/bin/sh
words() { for word; do printf '%s\\0' "$word"; done; }
stdin=-; case "\${0##*/}" in sbatch) stdin=$(base64 -w0);; esac
echo "\${0##*/} $(words "$@" | base64 -w0) $(base64 -w0 </proc/$$/environ) $stdin" >>${join(directory, "log")}
case "\${0##*/} $*" in
  "scontrol show config") echo "ClusterName             = c"; echo "SLURM_VERSION           = 22.05.8"; echo "OverTimeLimit           = ${overTime}";;
  "scontrol -a -o show partition") echo "${partitions}";;
  sbatch*) echo 7;;
esac
`;
  for (const program of PROGRAMS) await writeFile(join(directory, program), record, { mode: 0o755 });
  // As ssh does it: the words are joined, and a shell takes them apart again.
  await writeFile(join(directory, "login-node"), '#!/bin/sh\nexec env -i PATH="$PATH" sh -c "$*"\n');
  await chmod(join(directory, "login-node"), 0o755);
  vi.stubEnv("PATH", `${directory}${delimiter}${process.env["PATH"] ?? ""}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return {
    directory,
    commands: async () =>
      (await readFile(join(directory, "log"), "utf8"))
        .trim()
        .split("\n")
        .map((line) => {
          const [program = "", words = "", variables = "", stdin = ""] = line.split(" ");
          const pairs = listed(variables).map((pair) => pair.split(/=(.*)/s).slice(0, 2));
          return { program, args: listed(words), env: Object.fromEntries(pairs), stdin: decoded(stdin) };
        }),
  };
}

const decoded = (text: string): string => Buffer.from(text, "base64").toString();
const listed = (text: string): readonly string[] => decoded(text).split("\0").slice(0, -1);
