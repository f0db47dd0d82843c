// Counts tests from what the runners printed, for the last line of `npm test`.
import { readFileSync } from "node:fs";
import { seconds, testLogs } from "./steps.mjs";

const ESCAPES = /\u001b\[[0-9;]*m/g;

/** The totals of a vitest run: its `Tests  3 failed | 12 passed | 1 skipped (16)` lines. */
export function countVitest(text) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const line of text.replace(ESCAPES, "").split("\n")) {
    const totals = /^\s*(?:[^|]*:test:\s*)?Tests\s{2,}(.*)\(\d+\)\s*$/.exec(line);
    if (!totals) continue;
    for (const [, count, word] of totals[1].matchAll(/(\d+) (passed|failed|skipped|todo)/g)) {
      counts[word === "todo" ? "skipped" : word] += Number(count);
    }
  }
  return counts;
}

/** The totals of a `node --test` run, in its spec or its TAP form. */
export function countNodeTest(text) {
  const read = (word) => Number(new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`, "m").exec(text.replace(ESCAPES, ""))?.[1] ?? 0);
  return { passed: read("pass"), failed: read("fail") + read("cancelled"), skipped: read("skipped") + read("todo") };
}

/** A package's tests run under one of the two, so the totals of the other are zero. */
function countTests(text) {
  const [vitest, nodeTest] = [countVitest(text), countNodeTest(text)];
  return Object.fromEntries(Object.keys(vitest).map((key) => [key, vitest[key] + nodeTest[key]]));
}

/** The processor's seconds of a package's tests, from the `CPU  12.3 s` line of its vitest; nothing where none was printed. */
export function countProcessorTime(text) {
  const lines = [...text.replace(ESCAPES, "").matchAll(/^\s*(?:[^|\n]*:test:\s*)?CPU\s{2,}(\d+\.\d) s\s*$/gm)];
  return lines.length === 0 ? undefined : lines.reduce((sum, [, used]) => sum + Number(used), 0);
}

/** One row for each package, then the one line that `.ci/run` and people read. */
export function testSummary({ root, name, results, say, areTestsCounted = false }, ms) {
  const rows = areTestsCounted ? packageCounts(root) : [];
  const tools = results.find(({ title }) => title === "tools");
  if (tools) rows.unshift({ name: "tools", ...countNodeTest(tools.output) });
  for (const row of rows) say(`  ${row.name.padEnd(34)} ${describe(row)}`);
  const used = rows.reduce((sum, row) => sum + (row.cpu ?? 0), 0);
  if (used > 0) say(`  ${"the processor, of these tests".padEnd(34)} ${used.toFixed(1)} s CPU`);
  const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
  const failed = results.filter(({ code }) => code !== 0).map(({ title }) => title);
  const verdict = failed.length === 0 ? "every step passed" : `failed: ${failed.join(", ")}`;
  const counts = `${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped`;
  return `slipway ${name}: ${counts}; ${verdict}; ${seconds(ms)}`;
}

function packageCounts(root) {
  return testLogs(root).flatMap(({ name, file }) => {
    try {
      const text = readFileSync(file, "utf8");
      return [{ name, ...countTests(text), cpu: countProcessorTime(text) }];
    } catch (error) {
      if (error.code === "ENOENT") return [];
      throw error;
    }
  });
}

function describe({ passed, failed, skipped, cpu }) {
  const parts = [`${passed} passed`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (cpu !== undefined) parts.push(`${cpu.toFixed(1)} s CPU`);
  return parts.join(", ");
}
