// What the package.json files and the lockfile promise.
import { isDeepStrictEqual } from "node:util";
import { namesIn } from "./arrows.mjs";

const CORE = "@slipway/core";
const DEPENDENCY_FIELDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

export const manifestRules = [
  {
    name: "core-stands-alone",
    *check(tree) {
      const core = tree.packages.find(({ name }) => name === CORE);
      if (!core) return;
      for (const target of namesIn(core.manifest, ["dependencies", "optionalDependencies"])) {
        const line = tree.lineOf(core.file, `"${target}"`);
        yield {
          file: core.file,
          line,
          todo: `core has no run-time dependency: make ${target} an optional peer or drop it`,
        };
      }
      for (const target of namesIn(core.manifest, ["peerDependencies"])) {
        if (core.manifest.peerDependenciesMeta?.[target]?.optional) continue;
        const line = tree.lineOf(core.file, `"${target}"`);
        yield { file: core.file, line, todo: `a peer of core must be optional: say so for ${target}` };
      }
    },
  },
  {
    name: "core-is-a-peer",
    *check(tree, { coreAsDependency }) {
      for (const { name, file, manifest } of tree.packages) {
        if (manifest.private || name === CORE || Object.hasOwn(coreAsDependency, name)) continue;
        if (!namesIn(manifest, DEPENDENCY_FIELDS).has(CORE)) continue;
        const at = { file, line: tree.lineOf(file, `"${CORE}"`) };
        // Two copies of core would switch off declaration merging, so the user's own copy must be the only one.
        if (manifest.dependencies?.[CORE])
          yield { ...at, todo: `move ${CORE} to peerDependencies and devDependencies` };
        for (const field of ["peerDependencies", "devDependencies"]) {
          if (!manifest[field]?.[CORE]) yield { ...at, todo: `add ${CORE} (workspace:^) to ${field}` };
        }
      }
    },
  },
  {
    name: "workspace-range",
    *check(tree) {
      const names = new Set(tree.packages.map(({ name }) => name));
      for (const { file, manifest } of tree.packages.filter((member) => !member.manifest.private)) {
        for (const field of DEPENDENCY_FIELDS) {
          for (const [target, range] of Object.entries(manifest[field] ?? {})) {
            if (!names.has(target) || range === "workspace:^") continue;
            const line = tree.lineOf(file, `"${target}"`);
            yield { file, line, todo: `${target} lives in this workspace: its range is workspace:^, not ${range}` };
          }
        }
      }
    },
  },
  {
    name: "origin",
    *check(tree) {
      const { author, homepage, bugs, repository } = JSON.parse(tree.text("package.json"));
      for (const { file, manifest } of tree.packages.filter((member) => !member.manifest.private)) {
        const directory = file.slice(0, -"/package.json".length);
        const wanted = { author, homepage, bugs, repository: repository && { ...repository, directory } };
        for (const [field, value] of Object.entries(wanted)) {
          if (isDeepStrictEqual(manifest[field], value)) continue;
          const todo = `${field} is as in the root's package.json: ${JSON.stringify(value)}`;
          yield { file, line: tree.lineOf(file, `"${field}"`), todo };
        }
      }
    },
  },
  {
    name: "root-manifest",
    *check(tree) {
      const manifest = JSON.parse(tree.text("package.json"));
      for (const field of DEPENDENCY_FIELDS) {
        for (const [target, range] of Object.entries(manifest[field] ?? {})) {
          if (!/^(?:catalog|workspace):/.test(range)) continue;
          const todo = `a newcomer's npm install dies on "${range}": write the version of ${target} out`;
          yield { file: "package.json", line: tree.lineOf("package.json", `"${target}"`), todo };
        }
      }
    },
  },
  {
    name: "registry",
    *check(tree) {
      const lockfile = "pnpm-lock.yaml";
      if (tree.has(lockfile)) {
        yield* lines(
          tree,
          lockfile,
          /https?:\/\/|tarball:/,
          "no host in the lockfile: install again without tarball URLs",
        );
      }
      for (const file of tree.files) {
        if (/(?:^|\/)(?:\.npmrc|pnpm-workspace\.yaml)$/.test(file)) {
          yield* lines(
            tree,
            file,
            /^\s*[^#\s]*(?:registr(?:y|ies)|_auth[a-z]*)\s*[=:]/i,
            "which registry is the machine's own business: take the line out",
          );
        }
        if (/(?:^|\/)package\.json$/.test(file)) {
          yield* lines(tree, file, /"registry"\s*:/, "which registry is the machine's own business: take the line out");
        }
      }
    },
  },
];

function* lines(tree, file, pattern, todo) {
  for (const [index, text] of tree.text(file).split("\n").entries()) {
    if (pattern.test(text)) yield { file, line: index + 1, todo };
  }
}
