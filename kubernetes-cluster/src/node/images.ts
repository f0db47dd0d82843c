import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CommandRun } from "./node.ts";

/** What the machines of the tests are made of. No registry has it, so that nothing is ever pulled. */
export const MACHINE_IMAGE = "registry.test/machine:1";
export const PAUSE_IMAGE = "registry.test/pause:1";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Writes both images into one archive as `docker save` does: one layer, which is busybox with all its names. */
export async function writeImages(run: CommandRun, archive: string): Promise<void> {
  const home = `${archive}.d`;
  const root = path.join(home, "root");
  await mkdir(path.join(root, "bin"), { recursive: true });
  const busybox = (await run("sh", ["-c", "command -v busybox"])).trim();
  await copyFile(busybox, path.join(root, "bin", "busybox"));
  // Debian has two: one is linked with the machine's libraries.
  const libraries = await run("sh", ["-c", 'ldd "$1" 2>/dev/null || true', "sh", busybox]);
  for (const [library] of libraries.matchAll(/\/\S+(?= \(0x)/g)) {
    await mkdir(path.join(root, path.dirname(library)), { recursive: true });
    await copyFile(library, path.join(root, library));
  }
  for (const name of (await run("busybox", ["--list"])).split("\n")) {
    if (name !== "" && name !== "busybox") await symlink("busybox", path.join(root, "bin", name));
  }
  for (const folder of ["etc", "root", "usr", "var"]) await mkdir(path.join(root, folder), { recursive: true });
  await mkdir(path.join(root, "tmp"), { mode: 0o1777 });
  for (const name of ["sbin", "usr/bin", "usr/sbin"]) await symlink("/bin", path.join(root, name));
  await writeFile(path.join(root, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  await writeFile(path.join(root, "etc", "group"), "root:x:0:\n");

  const layer = path.join(home, "layer.tar");
  await run("tar", ["--create", "--file", layer, "--owner=0", "--group=0", "--directory", root, "."]);
  const rootfs = { type: "layers", diff_ids: [`sha256:${await digestOf(layer)}`] };
  const images = { machine: ["/bin/sh"], pause: ["/bin/sleep", "2147483647"] };
  for (const [name, Cmd] of Object.entries(images)) {
    const config = { Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], Cmd };
    const image = { architecture: ARCHITECTURES[process.arch], os: "linux", config, rootfs };
    await writeFile(path.join(home, `${name}.json`), JSON.stringify(image));
  }
  const manifest = [
    { Config: "machine.json", RepoTags: [MACHINE_IMAGE], Layers: ["layer.tar"] },
    { Config: "pause.json", RepoTags: [PAUSE_IMAGE], Layers: ["layer.tar"] },
  ];
  await writeFile(path.join(home, "manifest.json"), JSON.stringify(manifest));
  const parts = ["manifest.json", "machine.json", "pause.json", "layer.tar"];
  await run("tar", ["--create", "--file", `${archive}.part`, "--directory", home, ...parts]);
  await rename(`${archive}.part`, archive);
  await rm(home, { recursive: true, force: true });
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
