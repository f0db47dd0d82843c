import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Every package that goes to the registry: its folder, and its package.json. */
export function publishedPackages(root) {
  return readdirSync(path.join(root, "packages"))
    .map((name) => path.join(root, "packages", name))
    .filter((folder) => existsSync(path.join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => manifest.private !== true);
}
