// `npm run bench -- [--quick] [--json] [--history] [--only contract|import|command|local|aws|crowd]`
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { awsGets } from "./aws-gets.ts";
import { commandStarts } from "./command.ts";
import { contractCall } from "./contract-call.ts";
import { crowds } from "./crowd.ts";
import { awsImportTime, importTime, providerImports } from "./import-time.ts";
import { localEnds } from "./local-ends.ts";
import { localSpawn } from "./local-spawn.ts";
import { type Suite, tableOf } from "./report.ts";

const USAGE = "usage: npm run bench -- [--quick] [--json] [--history] [--only contract|import|command|local|aws|crowd]";

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<readonly Suite[]>>> = {
  contract: contractCall,
  import: async (quick) => [await importTime(quick), await providerImports(quick)],
  command: async (quick) => [await commandStarts(quick)],
  local: async (quick) => [await localSpawn(quick), await localEnds(quick)],
  crowd: crowds,
  aws: async (quick) => [await awsImportTime(quick), await awsGets(quick)],
};

interface Choice {
  readonly quick: boolean;
  readonly json: boolean;
  /** Keeps the result in bench/history, under the day. */
  readonly history: boolean;
  readonly names: readonly string[];
}

/** Null if the arguments are not understood. */
function choiceOf(args: readonly string[]): Choice | null {
  try {
    const { values } = parseArgs({
      args: args.filter((arg) => arg !== "--"),
      options: {
        quick: { type: "boolean" },
        json: { type: "boolean" },
        history: { type: "boolean" },
        only: { type: "string", multiple: true },
      },
    });
    const names = values.only ?? Object.keys(BENCHES);
    if (!names.every((name) => Object.hasOwn(BENCHES, name))) return null;
    return { quick: values.quick === true, json: values.json === true, history: values.history === true, names };
  } catch {
    return null;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const choice = choiceOf(args);
  if (choice === null) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const suites: Suite[] = [];
  for (const name of choice.names) {
    for (const suite of (await BENCHES[name]?.(choice.quick)) ?? []) {
      suites.push(suite);
      if (!choice.json) process.stdout.write(`${tableOf(suite)}\n\n`);
    }
  }
  const machine = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
  };
  const document = `${JSON.stringify({ machine, quick: choice.quick, suites }, null, 2)}\n`;
  if (choice.history) await keep(document);
  if (choice.json) process.stdout.write(document);
  else process.stdout.write(`node ${machine.node}, ${machine.platform}, ${machine.cores} cores of ${machine.cpu}\n`);
  const tooMany = suites.flatMap(({ aims }) => aims).filter(({ isCount, met }) => isCount === true && !met);
  for (const { aim, value, limit } of tooMany) process.stderr.write(`${aim}: ${value}, and the limit is ${limit}\n`);
  return tooMany.length === 0 ? 0 : 1;
}

async function keep(document: string): Promise<void> {
  const directory = join(import.meta.dirname, "..", "history");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${new Date().toISOString().slice(0, 10)}.json`), document);
}

// A time that missed its aim is shown, not failed: a machine that is busy must not break a build. A count fails.
process.exitCode = await main(process.argv.slice(2));
