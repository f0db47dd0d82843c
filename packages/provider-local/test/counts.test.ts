import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { isolations, linesOf, world } from "./worlds.ts";

const [best] = isolations;
if (best === undefined) throw new Error("there is always an isolation");
const { isolation } = best;

test("a log of one long line is read once, not once for each piece of it", async () => {
  const { provider } = world(isolation);
  const { id, rootDirectory } = await provider.spawn({ key: "k" });
  const line = "é".repeat(1024 * 1024);
  writeFileSync(join(rootDirectory, "../console.log"), `${line}\n${line}`);
  let searched = 0;
  const split = String.prototype.split;
  const spy = vi.spyOn(String.prototype, "split").mockImplementation(function (
    this: string,
    ...args: Parameters<typeof split>
  ) {
    searched += this.length;
    return split.apply(this, args);
  });
  onTestFinished(() => spy.mockRestore());
  const lines = await linesOf(provider.logs(id));
  spy.mockRestore();
  expect(lines.map((each) => each === line)).toEqual([true, true]);
  expect(searched).toBeGreaterThanOrEqual(2 * line.length);
  expect(searched).toBeLessThan(3 * line.length);
});
