import { readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig, mergeConfig, type ViteUserConfig } from "vitest/config";

// Without "module": under that name some packages hold files that Node itself cannot import.
const conditions = ["@slipway/source", "node", "development|production"];

// Tests start many processes from source. With Node's own cache each file is parsed and stripped of its types once, and not
// by each process: a start of the command takes a third of the processor's time.
const compiled = fileURLToPath(new URL("node_modules/.cache/node-compile", import.meta.url));

// `npm test` says where its time goes: the processor's time of a run with all the processes that it started and waited for.
// A set-up module reads this file once more, and the line is printed once.
if (process.env["SLIPWAY_CPU_OF"] !== String(process.pid)) {
  process.env["SLIPWAY_CPU_OF"] = String(process.pid);
  process.once("exit", () => {
    const used = processorSeconds();
    try {
      if (used !== undefined) writeSync(1, `        CPU  ${used.toFixed(1)} s\n`);
    } catch {
      // A pipe that is full or closed: the line is not worth a failed run.
    }
  });
}

/** Linux keeps it in hundredths of a second; elsewhere nobody can say it for processes that have ended. */
function processorSeconds(): number | undefined {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / 100;
  } catch {
    return undefined;
  }
}

/** Where `vitest.programs.ts` puts the programs that it bundles. */
export const bundledPrograms: string = fileURLToPath(new URL("node_modules/.cache/programs", import.meta.url));

/** For a package whose emulator is a program that tests start again and again: each run bundles it once. */
export const withProgram: ViteUserConfig = defineConfig({
  test: {
    globalSetup: [fileURLToPath(new URL("vitest.programs.ts", import.meta.url))],
    env: { SLIPWAY_BUNDLED_PROGRAMS: bundledPrograms },
  },
});

/** What every package's vitest shares: siblings are read as source. Type tests are compiled with the rest by `typecheck`. */
export const shared: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    // Many tests start real processes, and the machine may be slow or busy: a limit is for what hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    env: { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? compiled },
  },
});

/**
 * For a package whose tests keep no state in modules: its files run one after another in the same workers, and what they share
 * is read once and not by each file, which is half of the processor's time of a small file.
 */
export const inSharedWorkers: ViteUserConfig = mergeConfig(shared, {
  test: { isolate: false, unstubEnvs: true, unstubGlobals: true, restoreMocks: true },
});

/** The same, but for files that replace modules (`vi.mock`): each of them has a worker of its own. */
export function inSharedWorkersBut(name: string, alone: readonly string[], more: ViteUserConfig = {}): ViteUserConfig {
  const usual = mergeConfig(inSharedWorkers, more);
  const most = mergeConfig(usual, { test: { name, exclude: [...configDefaults.exclude, ...alone] } });
  const rest = { ...shared, test: { ...shared.test, name: `${name}, alone`, include: [...alone] } };
  return defineConfig({
    test: {
      projects: [
        { ...most, extends: false },
        { ...rest, extends: false },
      ],
    },
  });
}
