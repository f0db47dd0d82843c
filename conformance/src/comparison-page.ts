import type { Harness, HarnessFactory } from "@slipway/contract-tests";
import { launch, memoryStore, terminateAndConfirm } from "@slipway/control";
import type { SpawnOptions } from "@slipway/core";
import { table, WIDE } from "./capability-page.ts";

/** What is tried on each provider, and what was seen. */
interface Row {
  readonly title: string;
  readonly look: (harness: Harness) => Promise<string>;
}

const live = async ({ inspector }: Harness): Promise<number> =>
  (await inspector.instances()).filter((instance) => instance.live).length;
const counted = (count: number): string => (count === 1 ? "1 instance" : `${count} instances`);
const request = (harness: Harness, key: string): SpawnOptions => ({ ...harness.spawnOptions(), key });

const ROWS: readonly Row[] = [
  {
    title: "two processes launch one key at once, with one store",
    look: async (harness) => {
      const store = memoryStore();
      const { clock } = harness;
      const both = await Promise.all([harness.another(), harness.another()]);
      const options = { store, clock, leaseTimeoutMs: 600_000 };
      await Promise.all(both.map((provider) => launch(provider, request(harness, "same"), options)));
      return counted(await live(harness));
    },
  },
  {
    title: "the launch's reply is lost, and another process tries again",
    look: async (harness) => {
      const { faults, clock, registration } = harness;
      const fault = { operation: "spawn", when: "reply-lost" } as const;
      if (faults?.supports(fault) !== true) return "not tried";
      const store = memoryStore();
      faults.add(fault);
      await launch(registration.provider, request(harness, "lost"), { store, clock }).catch(() => undefined);
      await launch(await harness.another(), request(harness, "lost"), { store, clock });
      return counted(await live(harness));
    },
  },
  {
    title: "somebody else's machine in the same account",
    look: async (harness) => {
      if (harness.inspector.addUnmanaged === undefined) return "not tried";
      await harness.inspector.addUnmanaged();
      const listed = await harness.registration.provider.list({ owner: "*" });
      return listed.length === 0 ? "not listed" : "listed";
    },
  },
  {
    title: "terminated twice, and confirmed",
    look: async ({ registration: { provider }, clock, ...harness }) => {
      const { id } = await provider.spawn({ ...harness.spawnOptions(), key: "ended" });
      await terminateAndConfirm(provider, id, { clock });
      await provider.terminate(id);
      return "resolves";
    },
  },
];

/** The page of what was tried on every provider, with what was seen in this very run. */
export async function comparisonPage(harnesses: Readonly<Record<string, HarnessFactory>>): Promise<string> {
  const rows = await Promise.all(ROWS.map(async (row) => [row.title, ...(await seen(harnesses, row))]));
  return [
    ...WIDE,
    "# Compared",
    "",
    "<!-- Written by the tests of conformance/ from what they saw: do not edit. -->",
    "",
    "Each cell is what a test saw on the provider's emulator; the page is written by that test, and fails with it. What was not",
    "tried is said so.",
    "",
    table(["", ...Object.keys(harnesses)], rows),
    "",
  ].join("\n");
}

async function seen(harnesses: Readonly<Record<string, HarnessFactory>>, { look }: Row): Promise<readonly string[]> {
  return await Promise.all(
    Object.values(harnesses).map(async (factory) => {
      const harness = await factory();
      try {
        return await look(harness);
      } finally {
        await harness.close();
      }
    }),
  );
}
