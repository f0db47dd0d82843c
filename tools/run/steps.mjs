// Performs the steps of a command: one alone says so in two short lines, of many at once each says how it ended.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { STILL_RUNNING_MS } from "./processes.mjs";

/** Answers one result, or one of each where the step is many. */
export async function perform(step, context) {
  if (step.countTests) {
    // Counted afterwards, so a log of an earlier run must not stand in for a task that did not run.
    for (const log of testLogs(context.root)) rmSync(log.file, { force: true });
    context.areTestsCounted = true;
  }
  return step.atOnce ? await performMany(step, context) : [await performOne(step, context)];
}

/** Begins them in their order, as many at once as turbo would. Each goes on to its end, whatever becomes of the others. */
async function performMany(step, context) {
  const { say, processes } = context;
  say(`▸ ${step.title}${step.note ? `: ${step.note}` : ""}`);
  const waiting = [...step.atOnce(context)];
  const running = new Map();
  const results = [];
  const alive = setInterval(() => {
    const now = performance.now();
    const each = [...running].map(([{ title }, began]) => `${title} ${Math.round((now - began) / 1000)} s`);
    say(`  still running: ${each.join(", ")}`);
  }, STILL_RUNNING_MS);
  const work = async () => {
    while (waiting.length > 0 && !processes.interruptedBy) {
      const next = waiting.shift();
      running.set(next, performance.now());
      results.push(await performOne(next, context, { amongOthers: true }));
      running.delete(next);
    }
  };
  await Promise.all(Array.from({ length: tasksAtOnce() }, work));
  clearInterval(alive);
  return results;
}

async function performOne(step, context, { amongOthers = false } = {}) {
  const { say, processes, root } = context;
  if (!amongOthers || !step.quiet) say(`▸ ${step.title}${step.note ? `: ${step.note}` : ""}`);
  const plan = resolveStep(step, { args: step.args ? context.args : [], members: () => workspaceMembers(root) });
  if (plan.problem) {
    say(`✗ ${step.title}: ${plan.problem}`);
    return { step, title: step.title, code: 1, output: "", ms: 0 };
  }
  const cwd = plan.folder ? path.join(root, plan.folder) : root;
  const result = await processes.run(plan.argv, {
    cwd,
    quiet: step.quiet === true,
    title: amongOthers ? undefined : step.title,
    env: step.env,
  });
  if (processes.interruptedBy) return { step, title: step.title, ...result };
  if (result.code !== 0 && result.output) say(result.output.trimEnd());
  if (result.code !== 0) say(`✗ ${step.title}: exit code ${result.code} after ${seconds(result.ms)}`);
  else if (step.quiet) say(`✓ ${step.title}: ${seconds(result.ms)}`);
  return { step, title: step.title, ...result };
}

/** vitest and tsc bring threads of their own, and some tests wait for programs: one task more than there are cores. */
function tasksAtOnce(cores = availableParallelism()) {
  return Math.max(2, Math.min(cores, 8)) + 1;
}

/** The command line of a step, and the folder it runs in. Pure but for `members`. */
export function resolveStep(step, { args, members, cores = availableParallelism() }) {
  if (step.argv) return { argv: [...step.argv, ...args] };
  if (step.node) return { argv: ["node", ...step.node, ...args] };
  if (step.turbo) {
    const filters = (step.filters ?? []).map((filter) => `--filter=${filter}`);
    return {
      argv: [
        "turbo",
        "run",
        ...step.turbo,
        ...filters,
        "--continue=dependencies-successful",
        "--output-logs=errors-only",
        "--log-order=grouped",
        "--ui=stream",
        `--concurrency=${step.concurrency ?? tasksAtOnce(cores)}`,
        ...args,
      ],
    };
  }
  const member = members().find((candidate) => candidate.name === step.package);
  if (!member) return { problem: `there is no package ${step.package} in this workspace` };
  if (!member.scripts.includes(step.script)) return { problem: `${step.package} has no script "${step.script}"` };
  // `pnpm --filter` would answer 1 for every exit code, and 0 for a package that does not exist.
  return { argv: ["pnpm", "--silent", "run", step.script, ...(step.with ?? []), ...args], folder: member.folder };
}

/** Every package of the workspace: its folder, name and scripts. */
export function workspaceMembers(root) {
  const folders = ["packages", "examples"].flatMap((parent) => list(root, parent).map((name) => `${parent}/${name}`));
  return [...folders, "bench", "conformance", "docs", "release"].flatMap((folder) => {
    try {
      const manifest = JSON.parse(readFileSync(path.join(root, folder, "package.json"), "utf8"));
      return [{ folder, name: manifest.name, scripts: Object.keys(manifest.scripts ?? {}) }];
    } catch (error) {
      if (error.code === "ENOENT") return [];
      throw error;
    }
  });
}

/** Where turbo keeps what each package's tests printed; a cache hit puts it back. */
export function testLogs(root) {
  return workspaceMembers(root).map(({ name, folder }) => ({
    name,
    file: path.join(root, folder, ".turbo", "turbo-test.log"),
  }));
}

export function seconds(ms) {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

function list(root, folder) {
  try {
    return readdirSync(path.join(root, folder));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}
