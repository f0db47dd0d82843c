import { writeFileSync } from "node:fs";
import type * as Files from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { isolations, linesOf, world } from "./worlds.ts";

const { read } = vi.hoisted(() => ({ read: { records: 0 } }));

vi.mock("node:fs/promises", async (original) => {
  const actual = await original<typeof Files>();
  const readFile = ((...args: Parameters<typeof actual.readFile>) => {
    if (String(args[0]).endsWith("/record.json")) read.records += 1;
    return actual.readFile(...args);
  }) as typeof actual.readFile;
  return { ...actual, readFile };
});

const [best] = isolations;
if (best === undefined) throw new Error("there is always an isolation");
const { isolation } = best;

test("a log of one long line is read once, not once for each piece of it", async () => {
  const { provider } = world(isolation);
  const { id, rootDirectory } = await provider.spawn({ key: "k" });
  const line = "é".repeat(1024 * 1024);
  writeFileSync(join(rootDirectory, "../console.log"), `${line}\n${line}`);
  const spy = vi.spyOn(String.prototype, "split");
  onTestFinished(() => spy.mockRestore());
  const lines = await linesOf(provider.logs(id));
  const searched = spy.mock.contexts.reduce<number>((sum, text) => sum + String(text).length, 0);
  spy.mockRestore();
  expect(lines.map((each) => each === line)).toEqual([true, true]);
  expect(searched).toBeGreaterThanOrEqual(2 * line.length);
  expect(searched).toBeLessThan(3 * line.length);
});

test("what is asked for by id or key is read, and no other record", async () => {
  const { owner, provider } = world(isolation);
  const made: string[] = [];
  for (const key of ["a", "b", "c", "d"]) made.push((await provider.spawn({ key })).id);
  const [a = "", b = ""] = made;
  const counted = async (
    look: () => Promise<readonly { readonly key: string | null }[]>,
  ): Promise<readonly [string, number]> => {
    read.records = 0;
    const found = await look();
    return [
      found
        .map(({ key }) => key)
        .sort()
        .join(),
      read.records,
    ];
  };
  expect(await counted(() => provider.list({ ids: [b] }))).toEqual(["b", 1]);
  expect(await counted(() => provider.list({ ids: [b, b, a, "none", `${a}x`] }))).toEqual(["a,b", 2]);
  expect(await counted(() => provider.list({ keys: ["c"] }))).toEqual(["c", 1]);
  expect(await counted(() => provider.list({ keys: ["c"], owner, ids: [b] }))).toEqual(["", 1]);
  expect(await counted(() => provider.list({ keys: ["never"] }))).toEqual(["", 1]);
  expect((await counted(() => provider.list({ keys: ["c"], owner: "*" })))[0]).toBe("c");
  expect(await counted(async () => [(await provider.get(a)) ?? { key: "" }])).toEqual(["a", 1]);
  expect(await counted(() => provider.list())).toEqual(["a,b,c,d", 4]);
});
