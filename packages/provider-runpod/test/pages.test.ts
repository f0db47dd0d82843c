import { expect, test } from "vitest";
import { GPU } from "./runpod-harness.ts";
import { rejection, testWorld } from "./world.ts";

const CURSORS = ["offset", "keyset"] as const;

/** 23 pods on pages of 10, and a provider that sees them end: `between` runs after each page of a listing. */
async function fleet(
  cursors: (typeof CURSORS)[number],
  between: (page: number, ids: readonly string[], isFirst: boolean) => void,
) {
  const world = testWorld({ cursors, pageSize: 10 });
  const ids: string[] = [];
  for (let at = 0; at < 23; at += 1) ids.push((await world.provider.spawn({ key: `pod-${at}`, spec: GPU })).id);
  let pages = 0;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await world.emulator.fetch(input, init);
    if (/\/pods\?/.test(String(input))) between((pages += 1), ids, !String(input).includes("cursor="));
    return answer;
  };
  return { ...world, ids, reader: world.another({ runtime: { clock: world.clock, fetch } }) };
}

test.each(CURSORS)("with %s cursors a pod that ends between two pages hides no other", async (cursors) => {
  const end = (page: number, ids: readonly string[]): void => {
    if (page === 1) world.emulator.setGone(ids[0] ?? "");
  };
  const world = await fleet(cursors, end);
  const found = new Set((await world.reader.list()).map(({ id }) => id));
  expect(world.ids.slice(1).filter((id) => !found.has(id))).toEqual([]);
  expect(found.size).toBe(22);
});

test.each(CURSORS)("with %s cursors a spawn finds its key all the same", async (cursors) => {
  const world = await fleet(cursors, (page, ids) => {
    if (page === 1) world.emulator.setGone(ids[3] ?? "");
  });
  expect((await world.reader.spawn({ key: "pod-10", spec: GPU })).id).toBe(world.ids[10]);
});

test("a listing that moves at each reading is an error, and never a shorter answer", async () => {
  let last = 0;
  const world = await fleet("offset", (_page, ids, isFirst) => {
    if (isFirst) world.emulator.setGone(ids[last++] ?? "");
  });
  expect(await rejection(world.reader.list())).toMatchObject({ code: "UNAVAILABLE", effect: "none", retryable: true });
});
