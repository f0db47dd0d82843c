import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";

const MODULE = path.join(import.meta.dirname, "module");
const BUILD_MS = 1_800_000;

export interface Binaries {
  readonly etcd: string;
  readonly apiServer: string;
  readonly version: string;
}

/** The real servers: etcd of this machine, and an API server that is built once and kept by its version. */
export async function binaries(): Promise<Binaries> {
  const version = await versionOfModule();
  const apiServer = await built("kube-apiserver", version);
  return { etcd: "etcd", apiServer, version };
}

/** Builds what the folder `module` pins, outside the repository. Rejects where Go is missing. */
async function built(program: string, version: string): Promise<string> {
  const cache = path.join(process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"), "slipway-test-cluster");
  const home = path.join(cache, version);
  const wanted = path.join(home, program);
  if (existsSync(wanted)) return wanted;
  await mkdir(home, { recursive: true });
  const work = await mkdtemp(path.join(home, "build-"));
  try {
    for (const file of ["go.mod", "go.sum", "programs.go"]) {
      await copyFile(path.join(MODULE, `${file}.txt`), path.join(work, file));
    }
    const run = commandRunner({
      inherit: Object.keys(process.env),
      defaults: {
        timeoutMs: BUILD_MS,
        cwd: work,
        // Much memory for less of the compiler's time.
        env: { CGO_ENABLED: "0", GOGC: "400", GOFLAGS: "-mod=readonly", GOCACHE: path.join(cache, "go-build") },
      },
    });
    const output = path.join(work, program);
    const { exitCode, stderr } = await run("go", [
      "build",
      "-trimpath",
      // A seventh less of the compiler's time; nobody debugs the server.
      "-gcflags=all=-l -dwarf=false",
      "-ldflags",
      linkerFlags(version),
      "-o",
      output,
      `k8s.io/kubernetes/cmd/${program}`,
    ]);
    if (exitCode !== 0) throw new Error(`go build: ${stderr.slice(-2_000)}`);
    // Whole or not at all, also where two runs build at once.
    await rename(output, wanted);
    return wanted;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function versionOfModule(): Promise<string> {
  const text = await readFile(path.join(MODULE, "go.mod.txt"), "utf8");
  const found = /k8s\.io\/kubernetes v(\d+\.\d+\.\d+)/.exec(text)?.[1];
  if (found === undefined) throw new Error("go.mod.txt names no version of k8s.io/kubernetes");
  return found;
}

/** Without these the server calls itself v0.0.0. */
function linkerFlags(version: string): string {
  const [major = "", minor = ""] = version.split(".");
  const fields = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const flags = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((home) =>
    Object.entries(fields).map(([name, value]) => `-X ${home}.${name}=${value}`),
  );
  return ["-s", "-w", ...flags].join(" ");
}
