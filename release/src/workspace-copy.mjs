// The workspace as it would be released, in a place where versions may be written.
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { publishedPackages } from "./packages.mjs";
import { run } from "./run.mjs";

export class WorkspaceCopy {
  constructor(root, folder) {
    this.folder = folder;
    const listed = run("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root }).stdout;
    for (const file of listed.split("\n"))
      if (file !== "" && !isPending(file) && existsSync(path.join(root, file))) copy(root, folder, file);
    for (const { folder: from } of publishedPackages(root))
      copy(root, folder, path.join(path.relative(root, from), "dist"));
    // The tools are those of the workspace itself; packing reads nothing else from there.
    symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
    run("git", ["init", "--quiet", "--initial-branch", "main"], { cwd: folder });
    this.commit("as it is");
  }

  commit(message) {
    const who = ["-c", "user.name=release", "-c", "user.email=release@example.invalid"];
    run("git", ["add", "--all"], { cwd: this.folder });
    run("git", [...who, "commit", "--quiet", "--allow-empty", "-m", message], { cwd: this.folder });
  }

  /** Name to version, of all that goes to the registry. */
  versions() {
    return Object.fromEntries(publishedPackages(this.folder).map(({ manifest }) => [manifest.name, manifest.version]));
  }

  /** One changeset, turned into versions: what changed, as name to [before, after]. */
  bump(name, kind) {
    const before = this.versions();
    writeFileSync(
      path.join(this.folder, ".changeset", "local.md"),
      `---\n"${name}": ${kind}\n---\n\nFor the local registry.\n`,
    );
    this.#changeset(["version"]);
    this.commit(`release of ${name}`);
    const after = this.versions();
    return Object.fromEntries(
      Object.keys(after).flatMap((one) => (before[one] === after[one] ? [] : [[one, [before[one], after[one]]]])),
    );
  }

  publish(env) {
    return this.#changeset(["publish", "--no-git-tag"], env);
  }

  #changeset(args, env = {}) {
    return run(path.join(this.folder, "node_modules", ".bin", "changeset"), args, { cwd: this.folder, env });
  }
}

/** A change that waits for the next release: here each release is of one change alone. */
function isPending(file) {
  return /^\.changeset\/(?!README\.md$)[^/]+\.md$/.test(file);
}

function copy(root, folder, file) {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  cpSync(path.join(root, file), path.join(folder, file), { recursive: true, verbatimSymlinks: true });
}

export function readJson(...parts) {
  return JSON.parse(readFileSync(path.join(...parts), "utf8"));
}
