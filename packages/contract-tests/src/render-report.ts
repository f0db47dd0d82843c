import type { CaseResult } from "./case-result.ts";
import { type ConformanceReport, capabilityRow, type SharedCause, summaryOf } from "./report.ts";

const STATUS_WORDS: { readonly [S in CaseResult["status"]]: string } = {
  passed: "pass",
  failed: "FAIL",
  skipped: "skip",
  "not-applicable": "n/a",
};

/** For a terminal: one line for each group, then what many failures share, the others one by one, and the verdict. */
export function renderTable(report: ConformanceReport): string {
  const lines = byGroup(report.results).map(([group, results]) => {
    const tally = (status: CaseResult["status"]): string => {
      const count = results.filter((result) => result.status === status).length;
      return (count === 0 ? "" : `${count} ${STATUS_WORDS[status]}`).padEnd(9);
    };
    const columns = [tally("passed"), tally("failed"), tally("skipped"), tally("not-applicable")];
    return `${group.padEnd(14)} ${columns.join(" ")}`.trimEnd();
  });
  const rest = [...notable(report).map(line), ...problemsWithoutCase(report), summaryOf(report), ""];
  return [...lines, "", ...renderCauses(report.causes), ...rest].join("\n");
}

/** The whole report, for machines. */
export function renderJson(report: ConformanceReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** For a README or a pull request: badge, capabilities, groups, and what did not pass. */
export function renderMarkdown(report: ConformanceReport): string {
  const groups = byGroup(report.results).map(([group, results]) => {
    const count = (status: CaseResult["status"]): number => results.filter((each) => each.status === status).length;
    const cells = [group, count("passed"), count("failed"), count("skipped"), count("not-applicable")];
    return `| ${cells.join(" | ")} |`;
  });
  const capabilities = capabilityRow(report).map(({ name, on }) => `| ${name} | ${on ? "yes" : "no"} |`);
  const rest = notable(report).map((result) => `- ${line(result).split("\n").join("\n  ")}`);
  return [
    renderBadge(report),
    "",
    summaryOf(report),
    "",
    "| group | passed | failed | skipped | not applicable |",
    "|---|---|---|---|---|",
    ...groups,
    "",
    "| capability | on |",
    "|---|---|",
    ...capabilities,
    ...renderCauses(report.causes).map((cause) => `\n${cause}`),
    ...(rest.length === 0 ? [] : ["", ...rest]),
    ...problemsWithoutCase(report).map((problem) => `- ${problem}`),
    "",
  ].join("\n");
}

/** One Markdown image that says contract version and verdict. */
export function renderBadge({ passed, contractVersion }: ConformanceReport): string {
  const verdict = passed ? "conformant" : "failing";
  const label = encodeURIComponent(`Slipway contract ${contractVersion}`);
  const colour = passed ? "brightgreen" : "red";
  return `![Slipway contract ${contractVersion}: ${verdict}](https://img.shields.io/badge/${label}-${verdict}-${colour})`;
}

function byGroup(results: readonly CaseResult[]): readonly [string, readonly CaseResult[]][] {
  const groups = new Map<string, CaseResult[]>();
  for (const result of results) {
    const group = groups.get(result.group) ?? [];
    group.push(result);
    groups.set(result.group, group);
  }
  return [...groups];
}

/** What is to be mended first: each shared cause with all the cases that met it. */
export function renderCauses(causes: readonly SharedCause[]): readonly string[] {
  return causes.map(({ rule, reason, cases }, place) => {
    const begin = place === 0 ? "Mend this first" : "Then this";
    return `${begin}: ${cases.length} cases found ${rule} broken.\n  ${reason}\n  In: ${cases.join(", ")}\n`;
  });
}

/** All that is not simply green, and is none of a shared cause; what is said in both modes is said once. */
function notable({ results, causes }: ConformanceReport): readonly CaseResult[] {
  const told = new Set<string>();
  const shared = new Set(causes.map(({ rule }) => rule));
  return results.filter(({ id, status, reason, rule }) => {
    const text = `${id} ${status} ${reason ?? ""}`;
    if (status === "passed" || told.has(text) || (rule !== undefined && shared.has(rule))) return false;
    told.add(text);
    return true;
  });
}

function line({ status, id, mode, reason, advisory, title }: CaseResult): string {
  const note = advisory ? " (advisory)" : "";
  const where = status === "failed" ? ` [${mode}]` : "";
  return `${STATUS_WORDS[status].padEnd(5)}${id}${where}${note}: ${status === "failed" ? `${title}\n      ` : ""}${reason ?? ""}`;
}

function problemsWithoutCase({ problems, results }: ConformanceReport): readonly string[] {
  const ofCases = new Set(results.map(({ id, mode, reason }) => `${id} (${mode}): ${reason ?? "failed"}`));
  return problems.filter((problem) => !ofCases.has(problem));
}
