// Which package may know which: by its manifest, and by what its modules really import.
import { isBuiltin } from "node:module";
import path from "node:path";

const SHIPPED = ["dependencies", "peerDependencies", "optionalDependencies"];

export const arrowRules = [
  {
    name: "arrow",
    *check(tree, { arrows }) {
      const names = new Set(tree.packages.map(({ name }) => name));
      for (const member of tree.packages) {
        const row = rowOf(arrows, member.name);
        if (!row) {
          yield { file: member.file, line: 1, todo: `give ${member.name} a row under "arrows" in tools/rooms.json` };
          continue;
        }
        yield* manifestArrows(tree, member, row, names);
        yield* importArrows(tree, member, row, names);
      }
    },
  },
  {
    name: "undeclared-import",
    *check(tree) {
      for (const { name, manifest, ...member } of tree.packages) {
        const shipped = namesIn(manifest, SHIPPED);
        const all = new Set([...shipped, ...namesIn(manifest, ["devDependencies"])]);
        const scopes = [
          { files: tree.sources(member), declared: shipped, where: "dependencies or peerDependencies" },
          { files: tree.unshipped(member), declared: all, where: "devDependencies" },
        ];
        for (const { files, declared, where } of scopes) {
          for (const file of files) {
            for (const { specifier, line, kind } of tree.module(file).imports) {
              const target = packageOf(specifier);
              // A dynamic import may name a package that is only there if the user installed it.
              if (!target || target === name || kind === "dynamic" || declared.has(target)) continue;
              yield { file, line, todo: `${target} is imported here: declare it in the ${where} of ${member.folder}` };
            }
          }
        }
      }
    },
  },
  {
    name: "border",
    *check(tree) {
      for (const member of tree.packages) {
        for (const file of [...tree.sources(member), ...tree.unshipped(member)]) {
          for (const { specifier, line } of tree.module(file).imports) {
            if (!specifier.startsWith(".")) continue;
            const target = path.posix.join(path.posix.dirname(file), specifier);
            if (target.startsWith(`${member.folder}/`)) continue;
            yield { file, line, todo: `"${specifier}" leaves the package: import the other package by its name` };
          }
        }
      }
    },
  },
];

function* manifestArrows(tree, { name, file, manifest }, row, names) {
  const shipped = namesIn(manifest, SHIPPED);
  for (const target of [...shipped, ...namesIn(manifest, ["devDependencies"])]) {
    const allowed = shipped.has(target) ? row.src : [...row.src, ...row.test];
    if (!names.has(target) || matches(allowed, target)) continue;
    const todo = `${name} may not depend on ${target}: its arrows are ${allowed.join(", ") || "none"}`;
    yield { file, line: tree.lineOf(file, `"${target}"`), todo };
  }
}

function* importArrows(tree, member, row, names) {
  const scopes = [
    { files: tree.sources(member), allowed: row.src },
    { files: tree.unshipped(member), allowed: [...row.src, ...row.test] },
  ];
  for (const { files, allowed } of scopes) {
    for (const file of files) {
      for (const { specifier, line, kind } of tree.module(file).imports) {
        const target = packageOf(specifier);
        if (!names.has(target) || target === member.name || matches(allowed, target)) continue;
        if (kind === "dynamic" && matches(row.dynamic ?? [], target)) continue;
        yield { file, line, todo: `${member.name} may not import ${target} here: see "arrows" in tools/rooms.json` };
      }
    }
  }
}

function rowOf(arrows, name) {
  return arrows.find((row) => matches([row.package], name));
}

/** Names, of which the last part may be a star. */
export function matches(patterns, name) {
  return patterns.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name));
}

export function namesIn(manifest, fields) {
  return new Set(fields.flatMap((field) => Object.keys(manifest[field] ?? {})));
}

/** The package behind a specifier; undefined for relative ones, subpath imports and what Node itself brings. */
function packageOf(specifier) {
  if (/^[./#]/.test(specifier) || isBuiltin(specifier) || specifier.includes(":")) return undefined;
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
