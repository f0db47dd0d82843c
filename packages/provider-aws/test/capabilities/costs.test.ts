import "@aws-sdk/client-cost-explorer";
import { describe, expect, test } from "vitest";
import { costsFrom } from "../../src/capabilities/cost-query.ts";
import { awsWorld } from "../world.ts";

const DAY_MS = 86_400_000;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** What a machine of ours cost on each of the last days, the oldest first. */
function spent(...usd: readonly number[]) {
  const world = awsWorld();
  const today = Math.floor(world.emulator.clock.now() / DAY_MS) * DAY_MS;
  const ago = (days: number) => today - days * DAY_MS;
  const tags = { "slipway:owner": "tests" };
  const more = { tags, instanceId: "i-0123456789abcdef0", type: "m5.large", region: "us-east-1" };
  for (const [at, amount] of usd.entries()) {
    world.emulator.control.addCost({ day: day(ago(usd.length - at)), usd: amount, ...more });
  }
  world.emulator.control.addCost({ day: day(ago(1)), usd: 99, ...more, tags: { "slipway:owner": "else" } });
  const costs = (from: number, to: number, groupBy?: "day" | "spec" | "instance") =>
    world.provider.getCosts({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), groupBy });
  return { ago, costs };
}

describe("costs", () => {
  test("are this owner's alone, summed over the days", async () => {
    const { ago, costs } = spent(1, 2, 4, 8, 16);
    expect(await costs(ago(5), ago(2))).toMatchObject([{ usd: 7, group: null, estimated: false }]);
  });

  test.each([
    ["day", 3],
    ["spec", 1],
    ["instance", 1],
  ] as const)("by %s are told apart", async (groupBy, groups) => {
    const { ago, costs } = spent(1, 2, 4, 8, 16);
    const found = await costs(ago(5), ago(2), groupBy);
    expect(found).toHaveLength(groups);
    expect(found.reduce((sum, { usd }) => sum + usd, 0)).toBe(7);
    const names = { day: day(ago(5)), spec: "m5.large", instance: "us-east-1/i-0123456789abcdef0" };
    expect(found[0]?.group).toBe(names[groupBy]);
  });

  test("of days that AWS may still correct are estimated", async () => {
    const { ago, costs } = spent(1, 2, 4, 8, 16);
    expect((await costs(ago(5), ago(0)))[0]).toMatchObject({ usd: 31, estimated: true });
  });

  test("of a day that the question cuts are estimated: the amount of its part is not known", async () => {
    const { ago, costs } = spent(1, 2, 4, 8, 16);
    const [first] = await costs(ago(5) + DAY_MS / 2, ago(3));
    expect(first).toMatchObject({ usd: 3, from: new Date(ago(5) + DAY_MS / 2).toISOString(), estimated: true });
    expect((await costs(ago(5), ago(3) - 1))[0]?.estimated).toBe(true);
  });

  test("are never negative: a credit is no price of a machine", () => {
    const row = (start: string, end: string, amount: string) => ({
      TimePeriod: { Start: start, End: end },
      Total: { UnblendedCost: { Amount: amount, Unit: "USD" } },
    });
    const rows = [row("2026-01-01", "2026-01-02", "-5"), row("2026-01-02", "2026-01-03", "2")];
    const span = { from: "2026-01-01T00:00:00Z", to: "2026-01-03T00:00:00Z" };
    expect(costsFrom(rows, span)).toMatchObject([{ usd: 2 }]);
  });
});
