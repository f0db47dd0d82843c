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
    expect((await run("check", "rules", at("../dashboards/alerts.yaml"))).stdout).toContain("5 rules found");
    expect((await run("test", "rules", at("alerts.test.yaml"))).stdout).toContain("SUCCESS");
  },
);

test("the dashboard and the rules name only metrics that are made", async () => {
  const source = await readFile(at("../src/metrics.ts"), "utf8");
  const made = [...source.matchAll(/"(slipway\.[a-z.]+)"/g)].map(([, name = ""]) => name.replaceAll(".", "_"));
  expect(made.length).toBeGreaterThan(5);
  for (const file of ["grafana.json", "alerts.yaml"]) {
    const text = await readFile(at(`../dashboards/${file}`), "utf8");
    const used = [...text.matchAll(/slipway_[a-z_]+/g)].map(([name]) => name);
    const bare = used.map((name) => name.replace(/_(seconds_)?(bucket|count|sum|total)$/, ""));
    expect(bare.filter((name) => !made.includes(name))).toEqual([]);
  }
});
