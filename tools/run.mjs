#!/usr/bin/env node
// The one entry of the repository: `node tools/run.mjs <command> [arguments]`.
// It runs on whatever Node a newcomer has (20 or newer), before anything is installed, so it has no dependencies.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { commands, unknownCommand } from "./run/commands.mjs";
import { judge, readPlatform } from "./run/platform.mjs";
import { Processes } from "./run/processes.mjs";
import { perform } from "./run/steps.mjs";
import { installStep, readPin, toolNode } from "./run/toolchain.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const say = (line) => process.stdout.write(`${line}\n`);
const complain = (line) => process.stderr.write(`${line}\n`);

async function main([name, ...rest]) {
  const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
  if (!command) return refuse(unknownCommand(name));

  const verdict = judge(readPlatform());
  if (!verdict.ok) return refuse(verdict.message);

  // `npm run x -- --count 3` arrives without the dashes; `node tools/run.mjs x -- --count 3` arrives with them.
  const args = rest[0] === "--" ? rest.slice(1) : rest;
  const started = performance.now();
  const processes = new Processes({ root, say });
  const context = { root, name, args, say, processes, results: [] };

  const steps = [installStep(readPin(root)), ...command.steps];
  for (const step of steps) {
    const results = await perform(step, context);
    context.results.push(...results);
    const isDone = results.every(({ code }) => code === 0);
    if (processes.interruptedBy) return processes.exitCode();
    if (step === steps[0] && isDone) {
      const node = toolNode(root, process.versions.node);
      if (!node.ok) return refuse(node.message);
    }
    if (!isDone && !(command.keepGoing && step !== steps[0])) break;
  }

  const failed = context.results.find((result) => result.code !== 0);
  if (command.summary) say(command.summary(context, performance.now() - started));
  else if (failed) complain(`slipway ${name}: the step "${failed.title}" failed`);
  return failed ? failed.code : 0;
}

function refuse(line) {
  complain(line);
  return 2;
}

process.exitCode = await main(process.argv.slice(2));
