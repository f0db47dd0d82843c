import { defineCapability, defineProvider, type Provider } from "@slipway/core";
import { describe, expect, test } from "vitest";
import type { CaseContext } from "../src/case-context.ts";
import { runCase } from "../src/case-result.ts";
import { must, NotApplicable } from "../src/conformance-failure.ts";
import type { ContractCase } from "../src/contract-case.ts";
import type { Harness } from "../src/harness.ts";
import { plan } from "../src/plan.ts";
import { incomplete } from "../src/report.ts";
import { runConformance } from "../src/run.ts";
import { cases } from "../src/topics.ts";
import { memoryHarness } from "./memory-harness.ts";
import { intercept } from "./mutants/intercept.ts";
import { poorHarness } from "./poor-remote.ts";

const factory = memoryHarness();
const made = (run: (context: CaseContext) => Promise<void>, more: Partial<ContractCase> = {}): ContractCase => ({
  id: "spawn.shape",
  group: "spawn",
  title: "a case of the tests",
  rules: ["DATA-01"],
  projected: true,
  run,
  ...more,
});
const passing = made(async () => undefined);

describe("a case", () => {
  test("fails with its rule, what was seen and what to do next", async () => {
    const failing = made(async () => must(false, "DATA-01", "it is green", "Make it blue."));
    const result = await runCase(failing, factory, "plain");
    expect(result).toMatchObject({ status: "failed", rule: "DATA-01" });
    expect(result.reason).toContain("it is green");
    expect(result.reason).toContain("Everything that is answered is JSON-safe plain data");
    expect(result.reason).toContain("Next: Make it blue.");
  });

  test("fails where a call is rejected that had to work", async () => {
    const result = await runCase(
      made(async ({ provider }) => void (await provider.spawn({ key: "" }))),
      factory,
      "plain",
    );
    expect(result.status).toBe("failed");
    expect(result.reason).toContain("key must be");
  });

  test("fails where something is left behind, though it checked nothing", async () => {
    const forgetful = async (): Promise<Harness> => intercept({ terminate: async () => undefined })(await factory());
    const result = await runCase(
      made(async ({ spawn }) => void (await spawn())),
      forgetful,
      "plain",
    );
    expect(result).toMatchObject({ status: "failed", rule: "TERM-02" });
    expect(result.reason).toMatch(/instances: mem-/);
  });

  test("takes away what a spawn made that was never answered", async () => {
    let left: number | undefined;
    const watched = async (): Promise<Harness> => {
      const harness = await factory();
      const close = async (): Promise<void> => {
        left = (await harness.inspector.instances()).filter(({ live }) => live).length;
      };
      return { ...harness, close };
    };
    const cutOff = made(async ({ provider, request, fault }) => {
      fault({ operation: "spawn", when: "reply-lost" });
      await provider.spawn(request()).catch(() => undefined);
    });
    expect(await runCase(cutOff, watched, "plain")).toMatchObject({ status: "passed" });
    expect(left).toBe(0);
  });

  test("is cleaned up with few calls, however long the remote takes to end things", async () => {
    const calls = { list: 0, terminate: 0 };
    const slow = memoryHarness({ terminateMs: 60_000 });
    const counted = async (): Promise<Harness> =>
      intercept({
        list: async (args, next) => {
          calls.list += 1;
          return await next(...args);
        },
        terminate: async (args, next) => {
          calls.terminate += 1;
          return await next(...args);
        },
      })(await slow());
    expect(
      await runCase(
        made(async ({ spawn }) => void (await spawn())),
        counted,
        "plain",
      ),
    ).toMatchObject({
      status: "passed",
    });
    expect(calls.terminate).toBeLessThan(15);
    expect(calls.list).toBeLessThan(15);
  });

  test("leaves an unmanaged machine alone", async () => {
    const result = await runCase(
      made(async ({ unmanaged }) => void (await unmanaged())),
      factory,
      "plain",
    );
    expect(result.status).toBe("passed");
  });

  test.each(["spawn", "terminate"])("whose %s never answers is ended, and its harness closed", async (operation) => {
    let closed = 0;
    const hanging = async (): Promise<Harness> => {
      const harness = await factory();
      const close = async (): Promise<void> => {
        closed += 1;
      };
      return intercept({ [operation]: () => new Promise(() => undefined) })({ ...harness, close });
    };
    const spawning = made(async ({ spawn }) => void (await spawn()));
    const result = await runCase(spawning, hanging, "plain", { timeoutMs: 50 });
    expect(result).toMatchObject({ status: "failed" });
    expect(result.reason).toContain("50 ms");
    expect(closed).toBe(1);
  });

  test("is not applicable where it says so, and where the harness cannot place its fault", async () => {
    const told = made(async () => {
      throw new NotApplicable("not here");
    });
    expect(await runCase(told, factory, "plain")).toMatchObject({ status: "not-applicable", reason: "not here" });
    const faultless = async (): Promise<Harness> => {
      const harness = await factory();
      const faults = { add: () => undefined, clear: () => undefined, supports: () => false };
      return { ...harness, faults };
    };
    const placing = made(async ({ fault }) => fault({ operation: "spawn", when: "delayed" }));
    const result = await runCase(placing, faultless, "plain");
    expect(result).toMatchObject({
      status: "not-applicable",
      reason: "the harness places no fault `delayed` at spawn",
    });
  });

  test("gets the projected provider in that mode, and the others too", async () => {
    const seen: boolean[] = [];
    const looking = made(async ({ provider, subject, another }) => {
      for (const each of [provider, subject, await another()]) seen.push("logs" in each && "createSnapshot" in each);
      const { id } = await provider.spawn({ key: "k" });
      expect(Object.keys((await provider.get(id)) ?? {})).not.toContain("memoryBytes");
    });
    expect(await runCase(looking, factory, "projected")).toMatchObject({ status: "passed" });
    expect(seen).toEqual([true, true, true]);
  });

  test("closes its harness whatever happens", async () => {
    let closed = 0;
    const counting = async (): Promise<Harness> => ({
      ...(await factory()),
      close: async () => {
        closed += 1;
      },
    });
    await runCase(passing, counting, "plain");
    await runCase(
      made(async () => must(false, "DATA-01", "x", "y")),
      counting,
      "plain",
    );
    expect(closed).toBe(2);
  });

  test("whose harness cannot be made fails", async () => {
    const broken = async (): Promise<Harness> => {
      throw new Error("no emulator");
    };
    const result = await runCase(passing, broken, "plain");
    expect(result).toMatchObject({ status: "failed" });
    expect(result.reason).toContain("no emulator");
  });
});

describe("a run", () => {
  test("of something that is no harness says what is missing", async () => {
    const { inspector: _inspector, ...blind } = await factory();
    // What a module without types may export.
    await expect(runConformance(async () => blind as Harness)).rejects.toThrow(
      "the harness lacks inspector.instances()",
    );
    await expect(runConformance(async () => undefined as never)).rejects.toThrow("registration.provider.spawn()");
    await expect(runConformance({} as never)).rejects.toThrow("a harness factory is a function");
  });

  test("has the cases of a third party's capability", async () => {
    const seen: string[] = [];
    const holding = defineCapability({
      // Merged by a package that is not in this program.
      name: "pausing" as never,
      description: "stops the clock of an instance",
      options: {},
      methods: { pause: "plain" },
      cases: [
        {
          id: "pauses",
          title: "pauses",
          run: async ({ provider, spawnOptions }) => {
            seen.push((await provider.spawn(spawnOptions())).id);
          },
        },
        {
          id: "fails",
          title: "fails",
          run: async () => {
            throw new Error("it does not pause");
          },
        },
      ],
    });
    const pausing = async (): Promise<Harness> => {
      const harness = await poorHarness();
      const { capabilities: _flags, ...members } = harness.registration.provider;
      const definition = { ...members, capabilities: { pausing: true }, pause: async () => "paused" } as never;
      const provider = defineProvider<Provider>(definition, { capabilityDefinitions: [holding] });
      return { ...harness, registration: { ...harness.registration, provider } };
    };
    const report = await runConformance(pausing, { only: ({ group }) => group === "third-party" });
    expect(report.results.map(({ id, mode, status }) => [id, mode, status])).toEqual([
      ["pausing/pauses", "plain", "passed"],
      ["pausing/fails", "plain", "failed"],
      ["pausing/pauses", "projected", "passed"],
      ["pausing/fails", "projected", "failed"],
    ]);
    expect(seen).toHaveLength(2);
    expect(report.problems[0]).toContain("it does not pause");
  });

  test("without cases fails", async () => {
    const report = await runConformance(factory, { cases: [] });
    expect(report).toMatchObject({ passed: false, problems: ["no case ran"] });
  });

  test("whose every case is not applicable fails", async () => {
    const told = made(async () => {
      throw new NotApplicable("not here");
    });
    const report = await runConformance(factory, { cases: [told] });
    expect(report.problems).toContain("no case ran");
  });

  test("fails if fewer cases ran than the capabilities select", async () => {
    const planned = plan(await factory(), [], [passing, { ...passing, id: "spawn.labels" }]);
    const result = await runCase(passing, factory, "plain");
    expect(incomplete(["plain"], planned, [result])).toEqual(["1 selected cases did not run: spawn.labels (plain)"]);
    expect(incomplete(["plain"], planned.slice(0, 1), [result])).toEqual([]);
  });

  test("counts an advisory failure and does not fail by it", async () => {
    const advisory = made(async () => must(false, "DATA-01", "x", "y"), { id: "spawn.labels", advisory: true });
    const report = await runConformance(factory, { cases: [passing, advisory] });
    expect(report.passed).toBe(true);
    expect(report.counts).toEqual({
      selected: 4,
      passed: 2,
      failed: 2,
      skipped: 0,
      notApplicable: 0,
      advisoryFailed: 2,
    });
  });

  test("runs plain and projected, and tells its progress", async () => {
    const told: string[] = [];
    await runConformance(factory, {
      cases: [passing],
      onResult: ({ mode }, { done, total }) => told.push(`${mode} ${done}/${total}`),
    });
    expect(told).toEqual(["plain 1/2", "projected 2/2"]);
  });

  test("runs projected only what projection can change, and says so where that is nothing", async () => {
    const plainAlone = made(async () => undefined, { id: "spawn.labels", projected: false });
    const both = await runConformance(factory, { cases: [passing, plainAlone] });
    expect(both.results.map(({ id, mode }) => `${id} ${mode}`)).toEqual([
      "spawn.shape plain",
      "spawn.labels plain",
      "spawn.shape projected",
    ]);
    expect(both).toMatchObject({ passed: true, counts: { selected: 3, passed: 3 } });
    const none = await runConformance(factory, { cases: [plainAlone], modes: ["projected"] });
    expect(none.problems).toEqual([expect.stringContaining("so they run in mode plain alone")]);
  });

  test("selects by the provider's flags alone, and by what the harness has", async () => {
    const harness = await factory();
    const all = plan(harness).map((one) => one.case.id);
    expect(all).toContain("capabilities.spot-on");
    expect(all).not.toContain("capabilities.spot-off");
    const { faults: _faults, ...poor } = harness;
    const missing = plan(poor).filter(({ fate }) => fate.kind === "not-applicable");
    expect(missing.length).toBeGreaterThan(10);
    expect(missing.map(({ fate }) => fate)).toContainEqual({
      kind: "not-applicable",
      reason: "the harness has no faults",
    });
    expect(plan(poor).length).toBe(all.length);
    expect(all.length).toBeLessThan(cases.length);
  });
});
