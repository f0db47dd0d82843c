import { describe, expect, it } from "vitest";
import { type CommandLine, commandLine, installed } from "./command-line.ts";
import { FakeRemote, fakeModule, fault } from "./fake-provider.ts";

const price = (usdPerHour: number) =>
  ({ usdPerHour, per: "instance", asOf: "2026-01-31T12:00:00Z", source: "live" }) as const;
const gpus = { gpus: { type: "NVIDIA A100", count: 1 } };

/** Three providers; the third one does not list what it offers. */
function market(): CommandLine & { readonly dear: FakeRemote; readonly cheap: FakeRemote } {
  const line = commandLine();
  const [dear, cheap] = [new FakeRemote(), new FakeRemote()];
  dear.offerings = [{ spec: "big", resources: gpus, price: price(1.9) }];
  cheap.offerings = [
    { spec: "gone", resources: gpus, price: price(0.5), regions: [] },
    { spec: "large", resources: gpus, price: price(1.2) },
  ];
  for (const [name, remote] of [
    ["dear", dear],
    ["cheap", cheap],
  ] as const) {
    const dependencies = ["slipway-provider-dear", "slipway-provider-cheap"];
    const entry = installed(line, `slipway-provider-${name}`, name, { dependencies });
    line.modules.set(`file://${entry}`, () => fakeModule(remote, { name, sells: true }));
  }
  return { ...line, dear, cheap };
}

describe("slipway spawn --any", () => {
  it("shows the places in order, with price and source, and why the others are none", async () => {
    const { slipway, cheap, dear } = market();
    const run = await slipway(["spawn", "--any", "--gpu", "a100", "--max-usd-per-hour", "2", "--dry-run"]);
    expect(run.exitCode).toBe(0);
    const [, first, second] = run.stdout.split("\n");
    expect(first).toMatch(/cheap +large .*1\.20? +live/);
    expect(second).toMatch(/dear +big .*1\.90? +live/);
    expect(run.stderr).toContain("left out: cheap/gone: sold out");
    expect(run.stderr).toContain("left out: local: it does not list what it offers");
    expect([...cheap.called("spawn"), ...dear.called("spawn")]).toEqual([]);
  });

  it("launches at the cheapest, goes on where that made nothing, and keeps the key there", async () => {
    const { slipway, cheap, dear } = market();
    cheap.failures.set("spawn", () => fault("CAPACITY_ERROR", "cheap", "full"));
    const words = ["spawn", "--any", "--gpu", "a100", "--key", "k", "--ttl", "1h"];
    const run = await slipway(words);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain("cheap/large failed with CAPACITY_ERROR, and nothing was launched there.");
    expect(dear.called("spawn")).toHaveLength(1);
    cheap.failures.clear();
    const again = await slipway([...words, "--json"]);
    expect(again.json()).toMatchObject({ provider: "dear", key: "k" });
    expect((await slipway(["spawn", "--provider", "cheap", "--key", "k", "--json"])).error()).toMatchObject({
      code: "CONFLICT",
    });
    expect(cheap.instances.size).toBe(0);
  });

  it("refuses with every place and its reason, and what is one provider's own", async () => {
    const { slipway, cheap, dear } = market();
    for (const remote of [cheap, dear]) remote.failures.set("spawn", () => fault("CAPACITY_ERROR", "x", "full"));
    const run = await slipway(["spawn", "--any", "--gpu", "a100", "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.error()).toMatchObject({ code: "CAPACITY_ERROR", tried: [{}, {}], unfit: expect.any(Array) });
    expect((await slipway(["spawn", "--any", "--spec", "big", "--json"])).error()).toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect((await slipway(["spawn", "--any", "--json"])).error()).toMatchObject({ code: "MISSING_ARGUMENT" });
  });
});

describe("slipway spawn --any --count", () => {
  const words = ["spawn", "--any", "--gpu", "a100", "--key", "s", "--count", "3"];

  it("launches so many, and the same command shows the same ones", async () => {
    const { slipway, cheap } = market();
    const run = await slipway([...words, "--ttl", "1h"]);
    expect([run.exitCode, run.stderr]).toEqual([
      0,
      expect.stringContaining("To end it: slipway terminate --provider cheap -- "),
    ]);
    expect(run.stdout).toMatch(/s-1 +cheap +\S+\ns-2 +cheap +\S+\ns-3 +cheap/);
    expect((await slipway([...words, "--json"])).json()).toMatchObject({ members: [{}, {}, {}], missing: [] });
    expect(cheap.called("spawn")).toHaveLength(3);
  });

  it("keeps none where fewer can be had than are needed", async () => {
    const { slipway, cheap, dear } = market();
    cheap.failures.set("spawn", () => fault("CAPACITY_ERROR", "cheap", "full"));
    let left = 2;
    dear.hooks.set("spawn", async () => {
      if (left === 0) throw fault("CAPACITY_ERROR", "dear", "full");
      left -= 1;
    });
    const some = await slipway([...words, "--minimum", "2", "--key", "t", "--json"]);
    expect([some.exitCode, some.stderr]).toEqual([0, expect.not.stringContaining("error")]);
    expect(some.json()).toMatchObject({ members: [{ provider: "dear" }, {}], missing: [expect.stringMatching(/^t-/)] });
    expect((await slipway(["terminate", "--all", "--yes", "--confirm"])).exitCode).toBe(0);
    left = 2;
    const run = await slipway([...words, "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.error()).toMatchObject({ code: "CAPACITY_ERROR", effect: "none", leftovers: [] });
    expect([...dear.instances.values()].filter(({ status }) => status !== "terminated")).toEqual([]);
  });

  it("shows what it would cost, and takes no half of a wish", async () => {
    const { slipway, cheap } = market();
    const dry = await slipway([...words, "--minimum", "2", "--dry-run"]);
    expect(dry.stderr).toContain("3 machines, at least 2. They cost $3.60 to $5.70 per hour.");
    expect(cheap.called("spawn")).toEqual([]);
    for (const wrong of [["--minimum", "4"], ["--wait"], ["--count", "0"]]) {
      expect((await slipway([...words, ...wrong])).exitCode).toBe(2);
    }
    expect((await slipway(["spawn", "--count", "3"])).exitCode).toBe(2);
  });
});

describe("slipway run --any", () => {
  it("runs where it is cheapest, goes on where that made nothing, and leaves nothing", async () => {
    const { slipway, cheap, dear } = market();
    cheap.failures.set("spawn", () => fault("CAPACITY_ERROR", "cheap", "full"));
    const run = await slipway(["run", "--any", "--gpu", "a100", "--", "true"]);
    expect(run.stderr).toContain("cheap/large failed with CAPACITY_ERROR, and nothing was launched there.");
    expect(run.exitCode).toBe(0);
    expect([...dear.instances.values()].map(({ status, spec }) => [status, spec])).toEqual([["terminated", "big"]]);
    dear.failures.set("spawn", () => fault("AUTH_ERROR", "dear", "no"));
    const refused = await slipway(["run", "--any", "--gpu", "a100", "--json", "--", "true"]);
    expect(refused.exitCode).toBe(125);
    expect(refused.error()).toMatchObject({ code: "CAPACITY_ERROR", tried: [{}, { code: "AUTH_ERROR" }] });
  });

  it("does not take a key that has an instance on another of the providers", async () => {
    const { slipway, cheap, dear } = market();
    expect((await slipway(["spawn", "--provider", "dear", "--key", "k"])).exitCode).toBe(0);
    const run = await slipway(["run", "--any", "--gpu", "a100", "--key", "k", "--json", "--", "true"]);
    expect([run.exitCode, run.error()["code"]]).toEqual([125, "KEY_IN_USE"]);
    expect(cheap.called("spawn")).toEqual([]);
    expect([...dear.instances.values()].map(({ status }) => status)).toEqual(["running"]);
  });

  it("does not go on where something may have been made", async () => {
    const { slipway, cheap, dear } = market();
    cheap.failures.set("spawn", () => fault("NETWORK", "cheap", "cut", undefined, "unknown"));
    // It cannot be looked for either.
    cheap.failures.set("list", () => fault("AUTH_ERROR", "cheap", "no"));
    const run = await slipway(["run", "--any", "--gpu", "a100", "--", "true"]);
    expect(run.exitCode).toBe(125);
    expect(dear.called("spawn")).toEqual([]);
  });
});

describe("what it costs", () => {
  it("--max-usd-per-day refuses what would pass it, and what has no price", async () => {
    const { slipway, cheap, dear } = market();
    const words = ["spawn", "--provider", "cheap", "--spec", "large", "--max-usd-per-day", "30", "--json"];
    expect((await slipway(words)).exitCode).toBe(0);
    const over = await slipway(words);
    expect(over.exitCode).toBe(1);
    expect(over.error()).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none" });
    expect(over.stderr).toContain("a day would cost 57.60 US dollars, above maxUsdPerDay 30");
    // Two hours of it are not too much.
    expect((await slipway([...words, "--max-usd-per-day", "32", "--ttl", "1h"])).exitCode).toBe(0);
    const anywhere = await slipway(["spawn", "--any", "--gpu", "a100", "--max-usd-per-day", "30", "--json"]);
    expect(anywhere.error()).toMatchObject({ code: "QUOTA_EXCEEDED" });
    const run = await slipway([
      "run",
      "--provider",
      "dear",
      "--spec",
      "big",
      "--max-usd-per-day",
      "30",
      "--json",
      "--",
      "true",
    ]);
    expect([run.exitCode, run.error()["code"]]).toEqual([125, "QUOTA_EXCEEDED"]);
    const unknown = await slipway([
      "spawn",
      "--provider",
      "dear",
      "--spec",
      "other",
      "--max-usd-per-day",
      "900",
      "--json",
    ]);
    expect(unknown.error()["message"]).toContain("the price is not known");
    expect([cheap.instances.size, dear.instances.size]).toEqual([2, 0]);
  });

  it("list and get say what runs costs, what it has cost, and what is not known", async () => {
    const { slipway, cheap, clock } = market();
    for (const key of ["a", "b", "c"]) await slipway(["spawn", "--provider", "cheap", "--spec", "large", "--key", key]);
    const [a, b] = [...cheap.instances.values()];
    if (a === undefined || b === undefined) throw new Error("they are not there");
    for (const one of [a, b]) {
      const createdAt = new Date(clock.now()).toISOString();
      cheap.instances.set(one.id, { ...one, createdAt, price: price(1.5) });
    }
    clock.advance(2 * 3_600_000);
    const list = await slipway(["list", "--provider", "cheap"]);
    expect(list.stderr).toContain("Together $3.00 per hour, about $6.00 so far. The price of 1 of 3 is not known.");
    expect((await slipway(["get", "a"])).stdout).toMatch(/spent +about \$3\.00 so far, at that price/);
    expect((await slipway(["get", "c"])).stdout).toMatch(/price +not known/);
    expect((await slipway(["list", "--provider", "cheap", "--json"])).stderr).toBe("");
  });
});
