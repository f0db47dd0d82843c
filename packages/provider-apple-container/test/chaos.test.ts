import type { ProviderError } from "@slipway/core";
import { isProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { containerEmulator } from "../emulator/index.ts";
import { appleContainer } from "../src/index.ts";
import { faultyExec } from "./faulty-exec.ts";

const FAULTS = [
  { operation: "spawn", when: "reply-lost", probability: 0.2 },
  { operation: "spawn", when: "after", row: "service-interrupted", probability: 0.1 },
  { operation: "spawn", when: "after", row: "unknown-words", probability: 0.1 },
  { operation: "spawn", when: "before", row: "boot-failed", probability: 0.1 },
  { operation: "spawn", when: "before", row: "service-down", probability: 0.1 },
  { operation: "terminate", when: "after", row: "service-interrupted", probability: 0.2 },
  { operation: "terminate", when: "before", row: "still-running", probability: 0.1 },
  { operation: "terminate", when: "reply-lost", probability: 0.1 },
  { operation: "get", when: "before", row: "service-down", probability: 0.2 },
  { operation: "list", when: "reply-lost", probability: 0.2 },
  { operation: "exec", when: "before", row: "service-down", probability: 0.2 },
] as const;
const KEYS = ["a", "b", "c", "d", "e", "f"];

async function attempt<T>(call: Promise<T>): Promise<{ readonly value: T } | { readonly error: ProviderError }> {
  try {
    return { value: await call };
  } catch (error) {
    if (!isProviderError(error)) throw error;
    return { error };
  }
}

test.each([1, 2, 3, 4, 5, 6])("faults before and after the effect, seed %i", async (seed) => {
  const container = containerEmulator();
  const faulty = faultyExec(container.exec, container.clock, seed);
  const provider = appleContainer({
    owner: "t",
    variables: {},
    runtime: { exec: faulty.exec, clock: container.clock },
  });
  faulty.faults.add(...FAULTS.map((fault) => ({ ...fault, times: Number.POSITIVE_INFINITY })));
  const { control } = container;
  const effects = { none: 0, unknown: 0, applied: 0 };
  const mind = ({ code, effect }: ProviderError, changed: boolean): void => {
    effects[effect] += 1;
    if (effect === "none") expect({ code, changed }).toEqual({ code, changed: false });
  };
  try {
    const ids = new Map<string, string>();
    for (const key of KEYS) {
      for (let i = 0; !ids.has(key) && i < 100; i += 1) {
        const before = (await control.instances()).length;
        const came = await attempt(provider.spawn({ key, bootstrap: { script: "exit 0" } }));
        if ("value" in came) ids.set(key, came.value.id);
        else mind(came.error, (await control.instances()).length !== before);
      }
    }
    expect((await control.instances()).map(({ key }) => key).sort()).toEqual(KEYS);
    for (const id of ids.values()) {
      for (let i = 0, done = false; !done && i < 100; i += 1) {
        const before = (await control.instances()).length;
        const came = await attempt(provider.terminate(id));
        done = "value" in came;
        if ("error" in came) mind(came.error, (await control.instances()).length !== before);
      }
    }
    faulty.faults.clear();
    expect(await control.instances()).toEqual([]);
    expect(await provider.list()).toEqual([]);
    expect(effects.none + effects.unknown + effects.applied).toBeGreaterThan(0);
  } finally {
    await container.close();
  }
});
