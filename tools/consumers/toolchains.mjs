// The Nodes and compilers that consumers have: the oldest promised and the newest.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { start } from "./start.mjs";

/** `engines.node` of the published packages; the exact version has builds for both architectures. */
const FLOOR = "22.13.1";

export function findToolchains(root, place) {
  return {
    nodes: [{ label: "Node 24", bin: process.execPath }, floorNode(place)].filter(Boolean),
    compilers: compilers(root),
  };
}

function floorNode(place) {
  if (process.platform !== "linux") {
    console.log(`Node ${FLOOR} is not tried here: npm brings it for Linux only`);
    return undefined;
  }
  const folder = path.join(place, "node-floor");
  const name = `node-linux-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, dependencies: { [name]: FLOOR } }));
  start("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: folder });
  return { label: `Node ${FLOOR}`, bin: path.join(folder, "node_modules", name, "bin", "node") };
}

/** The compilers are the workspace's own: core's types are tested with them, under names that say the version. */
function compilers(root) {
  const found = [
    { label: "TypeScript 5.9", from: "packages/core", name: "typescript-5.9" },
    { label: "TypeScript 7.0", from: ".", name: "typescript" },
  ];
  return found.map(({ label, from, name }) => {
    const manifest = createRequire(path.join(root, from, "package.json")).resolve(`${name}/package.json`);
    const { version, bin } = JSON.parse(readFileSync(manifest, "utf8"));
    if (!label.endsWith(version.split(".", 2).join("."))) throw new Error(`${label} is really ${version}`);
    return { label, bin: path.join(path.dirname(manifest), bin.tsc) };
  });
}

/** The machine's own Node, if it is older than the floor: what the command says there is part of its promise. */
export function olderNode() {
  const places = (process.env.PATH ?? "").split(path.delimiter).filter((place) => !place.endsWith(".bin"));
  const bin = places.map((place) => path.join(place, "node")).find((file) => existsSync(file));
  if (!bin) return undefined;
  const version = start(bin, ["--version"]).stdout.trim();
  const [major, minor] = version.slice(1).split(".").map(Number);
  return major < 22 || (major === 22 && minor < 13) ? { label: `Node ${version.slice(1)}`, bin } : undefined;
}
