import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const packageRoot = fileURLToPath(new URL("..", import.meta.url));

/** The examples as one program: their imports joined, since each names all that it uses. */
function programOf(readme: string): string {
  const imports = new Map<string, Set<string>>();
  const bodies = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = ""]) =>
    block.replaceAll(/^import \{ (.*) \} from (".*");\n/gm, (_line, names: string, from: string) => {
      const known = imports.get(from) ?? new Set();
      for (const name of names.split(", ")) known.add(name);
      imports.set(from, known);
      return "";
    }),
  );
  const lines = [...imports].map(([from, names]) => `import { ${[...names].join(", ")} } from ${from};`);
  return [...lines, ...bodies].join("\n");
}

test("the README's examples run as they stand", { timeout: 120_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-readme-"));
  try {
    const readme = await readFile(join(packageRoot, "README.md"), "utf8");
    const program = programOf(readme).replace("/var/lib/my-ci/slipway", directory).replace("listen(8080,", "listen(0,");
    const argv = ["--conditions=@slipway/source", "--no-warnings", "--input-type=module-typescript", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, argv, {
      cwd: packageRoot,
      env: { ...process.env, REPORT_SECRET: "a secret of at least 32 characters" },
    });
    // No instance is missing: the end of the only one was confirmed.
    expect(stdout).toMatch(/^mem\S+\n\{ id: "?'?mem/);
    // One launch and one run, and a pool's slot with its launch.
    expect((await readdir(directory)).filter((name) => name.endsWith(".json"))).toHaveLength(4);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
