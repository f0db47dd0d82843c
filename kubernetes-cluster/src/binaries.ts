import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { type GoModule, moduleOfMinor, pinnedModule } from "./go-module.ts";

const BUILD_MS = 1_800_000;

export interface Binaries {
  readonly etcd: string;
  /** All programs of Kubernetes in one: the first argument says which. */
  readonly kube: string;
  readonly version: string;
}

/**
 * The real servers: etcd of this machine, and those of Kubernetes, which are built once and kept by their version: the pinned
 * one, or another minor version, as `1.36`.
 */
export async function binaries(minor?: string): Promise<Binaries> {
  const cache = path.join(process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"), "slipway-test-cluster");
  const module = minor === undefined ? await pinnedModule() : await moduleOfMinor(minor, cache);
  return { etcd: "etcd", kube: await built(module, cache), version: module.version };
}

/** Builds it outside the repository. Rejects where Go is missing. */
async function built({ version, files }: GoModule, cache: string): Promise<string> {
  const home = path.join(cache, version);
  // By its text too: what is built from other sources is another program.
  const digest = createHash("sha256")
    .update([...files.values()].join(""))
    .digest("hex")
    .slice(0, 12);
  const wanted = path.join(home, `kube-${digest}`);
  if (existsSync(wanted)) return wanted;
  await mkdir(home, { recursive: true });
  const work = await mkdtemp(path.join(home, "build-"));
  try {
    for (const [file, text] of files) await writeFile(path.join(work, file), text);
    const run = commandRunner({
      inherit: Object.keys(process.env),
      defaults: {
        timeoutMs: BUILD_MS,
        cwd: work,
        // Much memory for less of the compiler's time.
        env: { CGO_ENABLED: "0", GOGC: "400", GOFLAGS: "-mod=readonly", GOCACHE: path.join(cache, "go-build") },
      },
    });
    const output = path.join(work, "kube");
    const { exitCode, stderr } = await run("go", [
      "build",
      "-trimpath",
      // A seventh less of the compiler's time; nobody debugs the servers.
      "-gcflags=all=-l -dwarf=false",
      "-ldflags",
      linkerFlags(version),
      "-o",
      output,
      ".",
    ]);
    if (exitCode !== 0) throw new Error(`go build: ${stderr.slice(-2_000)}`);
    // Whole or not at all, also where two runs build at once.
    await rename(output, wanted);
    return wanted;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Without these the servers call themselves v0.0.0. */
function linkerFlags(version: string): string {
  const [major = "", minor = ""] = version.split(".");
  const fields = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const flags = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((home) =>
    Object.entries(fields).map(([name, value]) => `-X ${home}.${name}=${value}`),
  );
  return ["-s", "-w", ...flags].join(" ");
}
