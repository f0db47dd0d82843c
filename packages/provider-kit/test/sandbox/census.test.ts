import { expect, test, vi } from "vitest";
import { nextCensus } from "../../src/sandbox/end.ts";
import type { ProcessSight } from "../../src/sandbox/ps-process-table.ts";

const { table } = vi.hoisted(() => ({ table: { everything: async (): Promise<readonly ProcessSight[]> => [] } }));
vi.mock("../../src/sandbox/process-identity.ts", () => ({ systemProcessTable: () => table }));

const sight = (pid: number, parent: number, more: Partial<ProcessSight> = {}): ProcessSight => ({
  pid,
  parent,
  group: 0,
  startTime: "1",
  zombie: false,
  tag: null,
  outputs: [],
  ...more,
});

test("calls share the census that has not begun, and none that has", async () => {
  const begun: PromiseWithResolvers<readonly ProcessSight[]>[] = [];
  table.everything = () => {
    const one = Promise.withResolvers<readonly ProcessSight[]>();
    begun.push(one);
    return one.promise;
  };
  const first = [nextCensus(), nextCensus()];
  await vi.waitUntil(() => begun.length === 1);
  const later = [nextCensus(), nextCensus(), nextCensus()];
  begun[0]?.reject(new Error("unreadable"));
  for (const one of first) await expect(one).rejects.toThrow("unreadable");
  // A failure is that census's own.
  await vi.waitUntil(() => begun.length === 2);
  begun[1]?.resolve([sight(7, 1)]);
  for (const one of later) expect([...(await one).treeOf([7])]).toEqual([7]);
  expect(begun).toHaveLength(2);
});

test("a tree is the roots, the groups that they lead, and all that descend from these", async () => {
  table.everything = async () => [
    sight(10, 1, { group: 10, tag: "a" }),
    sight(11, 1, { group: 10 }),
    sight(12, 11, { group: 12, outputs: ["/log"] }),
    sight(13, 12, { group: 13 }),
    sight(14, 1, { group: 13 }),
    sight(15, 10, { zombie: true, tag: "a" }),
    sight(20, 1, { group: 20, tag: "b", outputs: ["/log", "/log"] }),
  ];
  const census = await nextCensus();
  expect([census.bearing("a"), census.bearing("c"), census.writingTo("/log")]).toEqual([[10], [], [12, 20]]);
  expect([...census.treeOf([10])].sort()).toEqual([10, 11, 12, 13]);
  expect([...census.treeOf([13, 99])].sort()).toEqual([13, 14]);
  expect([...census.treeOf([15, 99])]).toEqual([]);
});

test("a parent stands before its children, whatever their numbers, and one that is its own ancestor does no harm", async () => {
  table.everything = async () => [
    sight(5, 31, { tag: "a" }),
    sight(30, 1, { tag: "a" }),
    sight(31, 30, { tag: "a" }),
    sight(32, 5, { tag: "a" }),
    sight(40, 41, { tag: "b" }),
    sight(41, 40, { tag: "b" }),
  ];
  const census = await nextCensus();
  expect([...census.treeOf(census.bearing("a"))]).toEqual([30, 31, 5, 32]);
  expect([...census.treeOf(census.bearing("b"))].sort()).toEqual([40, 41]);
});
