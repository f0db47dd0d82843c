import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const promtool = [process.env["SLIPWAY_PROMTOOL"], "/usr/bin/promtool"].find((path) => path && existsSync(path));
const isMissing = promtool === undefined && process.env["SLIPWAY_REQUIRE_TOOLS"] !== "1";

test.skipIf(isMissing)(
  "promtool takes the alert rules, and they fire on a seeded orphan and on nothing else",
  async () => {
    const run = (...args: readonly string[]) => promisify(execFile)(promtool ?? "promtool", args);
    expect((await run("check", "rules", at("../dashboards/alerts.yaml"))).stdout).toContain("6 rules found");
    expect((await run("test", "rules", at("alerts.test.yaml"))).stdout).toContain("SUCCESS");
  },
);

/** What Prometheus gets, by OpenTelemetry's rules for names: the unit is a part, but for what is in braces. */
function namesOf(kind: string, name: string, unit: string): readonly string[] {
  const [what, per] = unit.replaceAll(/\{.*?\}/g, "").split("/");
  const units = [...(what === "s" ? ["seconds"] : []), ...(per === "h" ? ["per", "hour"] : [])];
  const whole = [name.replaceAll(".", "_"), ...units].join("_");
  if (kind === "Counter") return [`${whole}_total`];
  return kind === "Histogram" ? ["bucket", "count", "sum"].map((part) => `${whole}_${part}`) : [whole];
}

test("the dashboard and the rules name only metrics that are made", async () => {
  const source = await readFile(at("../src/metrics.ts"), "utf8");
  const metrics = [...source.matchAll(/create(\w+)\("(slipway\.[a-z.]+)", \{(?: unit: "([^"]*)",)?/g)];
  expect(metrics.length).toBeGreaterThan(5);
  const made = metrics.flatMap(([, kind = "", name = "", unit = ""]) => namesOf(kind, name, unit));
  for (const file of ["grafana.json", "alerts.yaml"]) {
    const text = await readFile(at(`../dashboards/${file}`), "utf8");
    const used = [...text.matchAll(/slipway_[a-z_]+/g)].map(([name]) => name);
    expect(used.filter((name) => !made.includes(name))).toEqual([]);
  }
});
