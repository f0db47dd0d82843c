// The pinned package manager, and the Node that its install leaves behind.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { toolsNeed } from "./platform.mjs";

/** The exact pnpm of `packageManager` in the root package.json: the only place where it is pinned for this program. */
export function readPin(root) {
  return parsePin(JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).packageManager);
}

export function parsePin(packageManager) {
  const match = /^pnpm@(\d+\.\d+\.\d+)(\+.*)?$/.exec(packageManager ?? "");
  if (!match) throw new Error(`package.json: packageManager must be pnpm@<exact version>, not ${packageManager}`);
  return match[1];
}

/** Always run, never guessed: pnpm itself knows in a second whether anything is to be done. */
export function installStep(pin) {
  return {
    title: "install",
    note: `pnpm ${pin} and the locked dependencies`,
    quiet: true,
    // Without a terminal pnpm refuses to replace a node_modules that another client made.
    argv: ["npx", "-y", `pnpm@${pin}`, "install", "--frozen-lockfile", "--config.confirmModulesPurge=false"],
  };
}

/**
 * After the install: is there a Node that can run the tools? The platform was promised one by npm, but an
 * `omit=optional` in somebody's npmrc would leave it out.
 */
export function toolNode(root, ownVersion, exists = existsSync) {
  const brought = path.join(root, "node_modules", ".bin", process.platform === "win32" ? "node.exe" : "node");
  if (exists(brought) || toolsNeed(ownVersion)) return { ok: true };
  return {
    ok: false,
    message: `The install left no Node 24 in node_modules (are optional dependencies switched off?), and this is ${ownVersion}.`,
  };
}
