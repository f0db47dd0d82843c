import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { detectIsolation } from "../../src/sandbox/index.ts";
import { scratch } from "./sandboxes.ts";

/** A PATH in which these programs do what the script says. */
function pathWith(programs: Readonly<Record<string, string>>): string {
  const directory = scratch();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  }
  return directory;
}

test("none is a process group, and says that it was asked for", async () => {
  expect(await detectIsolation({ variables: { SLIPWAY_SANDBOX: "none" } })).toEqual({
    isolation: "process-group",
    reason: "SLIPWAY_SANDBOX is none",
    tools: null,
  });
});

test("a program that is there and does not work is not used, and its words are the reason", async () => {
  const PATH = pathWith({
    bwrap: "echo 'bwrap: No permissions to create new namespace' >&2; exit 1",
    nsenter: "",
    setpriv: "",
  });
  const report = await detectIsolation({ variables: { PATH }, platform: "linux" });
  expect(report.isolation).toBe("process-group");
  expect(report.reason).toContain("No permissions to create new namespace");
});

test("a bubblewrap that cannot forbid nested namespaces is too old, and the reason says so", async () => {
  const PATH = pathWith({
    bwrap: "echo 'bwrap: Unknown option --disable-userns' >&2; exit 1",
    nsenter: "",
    setpriv: "",
  });
  const report = await detectIsolation({ variables: { PATH }, platform: "linux" });
  expect(report.isolation).toBe("process-group");
  expect(report.reason).toContain("older than 0.8.0");
});

test("bubblewrap that was demanded and does not work is refused with the reason", async () => {
  const PATH = pathWith({ bwrap: "exit 9", nsenter: "", setpriv: "" });
  const asked = detectIsolation({ variables: { PATH, SLIPWAY_SANDBOX: "bubblewrap" }, platform: "linux" });
  await expect(asked).rejects.toMatchObject({ reason: "unsupported" });
  await expect(asked).rejects.toThrow(/exited with 9/);
});

test("it is tried out once for each setting", async () => {
  const counter = join(scratch(), "count");
  const PATH = pathWith({ bwrap: `echo x >>${counter}`, nsenter: "", setpriv: "" });
  await Promise.all([1, 2, 3].map(() => detectIsolation({ variables: { PATH }, platform: "linux" })));
  expect((await detectIsolation({ variables: { PATH }, platform: "linux" })).isolation).toBe("bubblewrap");
  const { readFileSync } = await import("node:fs");
  expect(readFileSync(counter, "utf8")).toBe("x\n");
});

test("another system has process groups, and another value is refused", async () => {
  expect((await detectIsolation({ variables: {}, platform: "darwin" })).isolation).toBe("process-group");
  await expect(detectIsolation({ variables: { SLIPWAY_SANDBOX: "docker" } })).rejects.toMatchObject({
    reason: "invalid",
  });
});
