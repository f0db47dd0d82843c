import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CASE_IDS } from "../src/ids.ts";
import { rules } from "../src/rules.ts";
import { SUITE_VERSION } from "../src/suite-version.ts";
import { cases } from "../src/topics.ts";

const LINE = /^- \*\*([A-Z]+-\d\d)\*\* (?:\((\w+)\) |\[(\w+)\] )?(.+)$/gm;
const contract = readFileSync(new URL("../../core/CONTRACT.md", import.meta.url), "utf8");

test("CONTRACT.md and the rules say the same", () => {
  const written = [...contract.matchAll(LINE)].map(([, id, capability, subject, sentence]) => ({
    id,
    sentence,
    capability: capability ?? null,
    subject: subject ?? "provider",
  }));
  // In the order of CONTRACT.md: a number that is missing there or here is seen at its place.
  expect(rules).toEqual(written);
  expect(new Set(written.map(({ id }) => id)).size).toBe(written.length);
});

test("no MUST of CONTRACT.md is without a number", () => {
  const bullets = contract.split("\n").filter((line) => line.startsWith("- "));
  expect(bullets.filter((line) => !/^- \*\*[A-Z]+-\d\d\*\* /.test(line))).toEqual([]);
});

test("every rule that binds providers has a case", () => {
  const named = new Set(cases.flatMap((one) => one.rules));
  const missing = rules.filter(({ id, subject }) => subject === "provider" && !named.has(id));
  expect(missing.map(({ id }) => id)).toEqual([]);
});

test("no case names a rule that providers cannot break, or a rule of a capability that it does not select", () => {
  const wrong = cases.flatMap((one) =>
    one.rules
      .filter((id) => {
        const rule = rules.find((each) => each.id === id);
        const foreign = rule?.capability !== null && rule?.capability !== one.capability?.name;
        return rule?.subject !== "provider" || foreign;
      })
      .map((id) => `${one.id}: ${id}`),
  );
  expect(wrong).toEqual([]);
});

test("a rule that binds providers stands in the file of its cases", async () => {
  const folder = new URL("../src/topics/", import.meta.url);
  const strays: string[] = [];
  for (const file of readdirSync(folder)) {
    const topic = (await import(new URL(file, folder).href)) as Readonly<Record<string, object>>;
    const of = (what: "Rules" | "Cases"): readonly string[] =>
      Object.entries(topic).flatMap(([name, members]) => (name.endsWith(what) ? Object.keys(members) : []));
    const own = cases.filter(({ id }) => of("Cases").includes(id)).flatMap((one) => one.rules);
    for (const rule of of("Rules")) {
      const isBound = rules.find(({ id }) => id === rule)?.subject === "provider";
      if (isBound && !own.some((id) => id === rule)) strays.push(`${file}: ${rule}`);
    }
  }
  // What a provider says of itself is looked at in identity.ts.
  expect(strays).toEqual(["capabilities.ts: CAP-01", "capabilities.ts: CAP-05", "owner.ts: OWNER-01"]);
});

test("every id stands for one case, in the group that it begins with", () => {
  const ids = Object.values(CASE_IDS).flat();
  expect(new Set(ids).size).toBe(ids.length);
  expect(cases.map(({ id }) => id)).toEqual(ids);
  expect(cases.filter(({ id, group }) => !id.startsWith(`${group}.`))).toEqual([]);
});

test("the suite's version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  expect(manifest.version).toBe(SUITE_VERSION);
});
