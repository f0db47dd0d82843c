import { describe, expect, it, vi } from "vitest";
import { type RuntimeEvent, runtimeDefaults, silentLog, systemClock, workflow } from "../src/index.ts";

const EVENT: RuntimeEvent = {
  type: "launch.adopted",
  at: "2026-01-31T12:00:00.000Z",
  provider: "p",
  key: "k",
  id: "i",
};

describe("runtimeDefaults", () => {
  it("is the machine's own clock and fetch, a silent log and no listener", () => {
    const runtime = runtimeDefaults();
    expect(runtime.clock).toBe(systemClock);
    expect(runtime.fetch).toBe(globalThis.fetch);
    expect(runtime.log).toBe(silentLog);
    expect(runtime.onEvent(EVENT)).toBeUndefined();
    expect(runtime.exec).toBeUndefined();
  });

  it("keeps what is given, and guards the listener", () => {
    const onEvent = vi.fn((): void => {
      throw new Error("listener");
    });
    const exec = vi.fn();
    const clock = { ...systemClock };
    const runtime = runtimeDefaults({ clock, exec, onEvent });
    expect(runtime).toMatchObject({ clock, exec });
    expect(() => runtime.onEvent(EVENT)).not.toThrow();
    expect(onEvent).toHaveBeenCalledWith(EVENT);
  });

  it("says nothing by default", () => {
    const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const written = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
    silentLog.error("e", { a: 1 });
    silentLog.warn("w");
    silentLog.info("i");
    silentLog.debug("d");
    expect(printed).not.toHaveBeenCalled();
    expect(written).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

it("workflow is its definition", () => {
  const schema = {
    "~standard": { version: 1 as const, vendor: "t", validate: (value: unknown) => ({ value: String(value) }) },
  };
  const definition = { type: "t", version: 1, input: schema, output: schema, run: async () => "done" };
  expect(workflow(definition)).toBe(definition);
});
