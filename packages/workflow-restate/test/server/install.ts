// Installs the Restate server that the tests start, where it is missing: with npm, into a folder outside the repository.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { serverFolder, serverPackage, serverProgram, serverVersion } from "./program.ts";

if (serverProgram() === undefined) {
  mkdirSync(dirname(serverFolder), { recursive: true });
  // Moved there when it is whole: one that was cut off must not be found.
  const folder = mkdtempSync(join(dirname(serverFolder), "installing-"));
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"];
  const args = ["install", "--prefix", folder, ...flags, `${serverPackage}@${serverVersion}`];
  const { status } = spawnSync("npm", args, { stdio: "inherit", timeout: 240_000 });
  if (status === 0) {
    rmSync(serverFolder, { recursive: true, force: true });
    renameSync(folder, serverFolder);
  }
  rmSync(folder, { recursive: true, force: true });
}
if (serverProgram() === undefined) {
  console.error(`${serverPackage} ${serverVersion} could not be installed with npm`);
  process.exitCode = 1;
}
