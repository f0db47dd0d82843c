// The repository as the rules see it: its files, its packages, and the parsed modules in them.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { lineAt } from "./line-at.mjs";
import { readModule } from "./modules.mjs";

// What `npm create` writes is judged where it has been written.
const SKIPPED = new Set(["node_modules", "dist", "coverage", ".git", ".turbo", "template"]);
// Settings of a tool, which reads the workspace's own beside them.
const SETTINGS = /\/(?:vitest(?:\.[a-z]+)?|tsup)\.config\.ts$/;
const MODULE = /\.(?:ts|mts|cts|tsx|js|mjs|cjs)$/;

export class Tree {
  #texts = new Map();
  #modules = new Map();

  constructor(root) {
    this.root = root;
    this.files = [...walk(root, "")].sort();
    this.packages = this.files
      .filter((file) =>
        /^(?:(?:packages|examples)\/[^/]+|bench|conformance|kubernetes-cluster|python-clients|release|docs)\/package\.json$/.test(
          file,
        ),
      )
      .map((file) => {
        const manifest = JSON.parse(this.text(file));
        return { folder: path.posix.dirname(file), file, manifest, name: manifest.name };
      });
  }

  has(file) {
    return this.files.includes(file);
  }

  under(folder) {
    return this.files.filter((file) => file.startsWith(`${folder}/`));
  }

  text(file) {
    if (!this.#texts.has(file)) this.#texts.set(file, readFileSync(path.join(this.root, file), "utf8"));
    return this.#texts.get(file);
  }

  /** What is in a module: imports, awaits, types and calls that a rule asks about. */
  module(file) {
    if (!this.#modules.has(file)) this.#modules.set(file, readModule(file, this.text(file)));
    return this.#modules.get(file);
  }

  /** The line of the first occurrence of a text, for breaches in files that are not modules. */
  lineOf(file, text) {
    const at = this.text(file).indexOf(text);
    return at < 0 ? 1 : lineAt(this.text(file), at);
  }

  /** Modules that ship or run as the package itself. */
  sources(member) {
    const { folder } = member;
    const inner = folder.startsWith("packages/") ? [`${folder}/src`, `${folder}/emulator`, `${folder}/bin`] : [folder];
    const unshipped = new Set(this.unshipped(member));
    return inner
      .flatMap((place) => this.under(place))
      .filter((file) => MODULE.test(file) && !unshipped.has(file) && !SETTINGS.test(file));
  }

  tests({ folder }) {
    return this.under(`${folder}/test`).filter((file) => MODULE.test(file));
  }

  /** Modules that may use dev dependencies: tests, and the soaks, which kill real processes at real moments. */
  unshipped(member) {
    return [...this.tests(member), ...this.under(`${member.folder}/soak`).filter((file) => MODULE.test(file))];
  }

  /** Every hand-written module of the repository. */
  get modules() {
    return this.files.filter(
      (file) =>
        MODULE.test(file) &&
        /^(?:packages|examples|bench|conformance|kubernetes-cluster|python-clients|release|docs|tools)\//.test(file),
    );
  }
}

function* walk(root, folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = folder ? `${folder}/${entry.name}` : entry.name;
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory()) yield* walk(root, name);
    else if (entry.isFile()) yield name;
  }
}
