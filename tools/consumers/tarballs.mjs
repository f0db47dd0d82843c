// Packs every publishable package, and installs a choice of them with npm into an empty folder.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { start } from "./start.mjs";

/** What npm would have to answer if these packages were published: name, version, manifest as packed, file. */
export function packAll(root, into) {
  mkdirSync(into, { recursive: true });
  const folders = readdirSync(path.join(root, "packages")).map((name) => path.join(root, "packages", name));
  return folders.filter(isPublishable).map((folder) => pack(folder, into));
}

function isPublishable(folder) {
  return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")).private !== true;
}

function pack(folder, into) {
  const target = path.join(into, path.basename(folder));
  mkdirSync(target);
  start("pnpm", ["pack", "--pack-destination", target], { cwd: folder });
  const [file] = readdirSync(target);
  const tarball = path.join(target, file);
  const manifest = JSON.parse(start("tar", ["-xzOf", tarball, "package/package.json"]).stdout);
  return { name: manifest.name, version: manifest.version, manifest, file: tarball };
}

/** Every package of this workspace that comes along when one is installed, the peer core included. */
export function closure(name, tarballs) {
  const found = new Map();
  const visit = (wanted) => {
    const tarball = tarballs.find((candidate) => candidate.name === wanted);
    if (!tarball || found.has(wanted)) return;
    found.set(wanted, tarball);
    const { dependencies = {}, peerDependencies = {} } = tarball.manifest;
    for (const next of Object.keys({ ...dependencies, ...peerDependencies })) visit(next);
  };
  visit(name);
  return [...found.values()];
}

/**
 * An empty folder in which `npm install` put `wanted`. What these depend on in this workspace is taken from its tarball
 * as well, because no registry has it yet; npm still decides by itself what is installed.
 */
export function installInto(folder, wanted, tarballs, others = {}) {
  mkdirSync(folder, { recursive: true });
  const direct = new Set(wanted.map(({ name }) => name));
  const behind = wanted.flatMap(({ name }) => closure(name, tarballs)).filter(({ name }) => !direct.has(name));
  const manifest = {
    name: "consumer",
    private: true,
    dependencies: { ...Object.fromEntries(wanted.map(({ name, file }) => [name, `file:${file}`])), ...others },
    overrides: Object.fromEntries(behind.map(({ name, file }) => [name, `file:${file}`])),
  };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  start("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: folder });
}

/** The packages of this workspace that really stand in a folder's node_modules. */
export function installedOf(folder, tarballs) {
  const scope = path.join(folder, "node_modules");
  const scoped = readdirSync(path.join(scope, "@slipway")).map((name) => `@slipway/${name}`);
  return [...scoped, ...readdirSync(scope)].filter((name) => tarballs.some((tarball) => tarball.name === name)).sort();
}
