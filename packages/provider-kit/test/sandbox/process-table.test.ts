import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  identify,
  identifySelf,
  parseProcessIdentity,
  processState,
  systemProcessTable,
} from "../../src/sandbox/index.ts";
import { linuxProcessTable } from "../../src/sandbox/linux-process-table.ts";
import { psProcessTable } from "../../src/sandbox/ps-process-table.ts";
import { scratch } from "./sandboxes.ts";

const PS = `    1     0     1 Ss   Fri Nov 20 23:41:02 2026
  501     1   501 S+   Sat Nov 21 00:00:01 2026
  502   501   501 Z+   Sat Nov  1 00:00:02 2026
`;
const PS_ENVIRONMENT = `    1 /sbin/launchd
  501 node x.js SLIPWAY_SANDBOX_ID=a PATH=/bin
  502 sleep 9 SLIPWAY_SANDBOX_ID=ab
`;

test("the table of ps is read: rows, zombies, start times and tags", async () => {
  const table = psProcessTable(async (file, args) => {
    if (file === "sysctl") return "{ sec = 1795, usec = 4 } Fri Nov 20\n";
    return args.some((word) => word.includes("E")) ? PS_ENVIRONMENT : PS;
  });
  expect(await table.rows()).toEqual([
    { pid: 1, parent: 0, group: 1, startTime: "Fri Nov 20 23:41:02 2026", zombie: false },
    { pid: 501, parent: 1, group: 501, startTime: "Sat Nov 21 00:00:01 2026", zombie: false },
    { pid: 502, parent: 501, group: 501, startTime: "Sat Nov 1 00:00:02 2026", zombie: true },
  ]);
  expect(await Promise.all([501, 502, 503].map((pid) => table.startTime(pid)))).toEqual([
    "Sat Nov 21 00:00:01 2026",
    null,
    null,
  ]);
  expect(await table.withEnvironment(["SLIPWAY_SANDBOX_ID=a"])).toEqual([501]);
  expect(await table.bootId()).toContain("1795");
  expect((await table.everything("SLIPWAY_SANDBOX_ID")).map(({ pid, tag }) => [pid, tag])).toEqual([
    [1, null],
    [501, "a"],
    [502, "ab"],
  ]);
});

test("a process that is named to deceive is read right", async () => {
  const proc = scratch();
  mkdirSync(join(proc, "7"));
  mkdirSync(join(proc, "self/ns"), { recursive: true });
  symlinkSync("pid:[1]", join(proc, "self/ns/pid"));
  const rest = Array.from({ length: 30 }, (_, i) => 100 + i);
  writeFileSync(join(proc, "7/stat"), `7 (a) Z 1 1 (x) S 3 9 ${rest.join(" ")}\n`);
  writeFileSync(join(proc, "7/environ"), "A=1\0SLIPWAY_SANDBOX_ID=x\0");
  const table = linuxProcessTable(proc);
  expect(await table.rows()).toEqual([{ pid: 7, parent: 3, group: 9, startTime: "116", zombie: false }]);
  expect(await table.withEnvironment(["SLIPWAY_SANDBOX_ID=x", "A=1"])).toEqual([7]);
  expect(await table.withEnvironment(["SLIPWAY_SANDBOX_ID"])).toEqual([]);
});

/** Lets processes appear in a table of processes, or be replaced. */
function birthsIn(proc: string) {
  return (pid: number, state: string, environment: string): void => {
    mkdirSync(join(proc, `${pid}/fd`), { recursive: true });
    const rest = Array.from({ length: 30 }, (_, at) => at);
    writeFileSync(join(proc, `${pid}/stat`), `${pid} (sh) ${state} 3 9 ${rest.join(" ")}\n`);
    writeFileSync(join(proc, `${pid}/environ`), environment);
    writeFileSync(join(proc, `${pid}/cmdline`), "");
  };
}

test("everything comes to an end also where others start programs all the time", async () => {
  const proc = scratch();
  const born = birthsIn(proc);
  let last = 8;
  born(last, "R", "");
  let others: NodeJS.Immediate;
  const begin = (): void => {
    born(++last, "R", "");
    others = setImmediate(begin);
  };
  begin();
  onTestFinished(() => clearImmediate(others));
  const found = await linuxProcessTable(proc).everything("SLIPWAY_SANDBOX_ID");
  expect(found.map(({ pid }) => pid)).toContain(8);
});

test("everything holds what began while the rest was read, and a zombie without a tag", async () => {
  const proc = scratch();
  const born = birthsIn(proc);
  born(8, "R", "");
  born(9, "Z", "");
  const reading = linuxProcessTable(proc).everything("SLIPWAY_SANDBOX_ID");
  // It waits for the one that replaces its program; meanwhile another begins.
  born(8, "R", "A=1\0SLIPWAY_SANDBOX_ID=x\0");
  born(10, "S", "SLIPWAY_SANDBOX_ID=y\0");
  symlinkSync("/log", join(proc, "10/fd/1"));
  const found = await reading;
  expect(found.map(({ pid, tag, outputs }) => [pid, tag, outputs]).sort()).toEqual([
    [10, "y", ["/log"]],
    [8, "x", []],
    [9, null, []],
  ]);
});

test("a process is found also while it replaces its program", async () => {
  const proc = scratch();
  mkdirSync(join(proc, "8"));
  writeFileSync(join(proc, "8/stat"), `8 (sh) R 3 9 ${Array.from({ length: 30 }, (_, i) => i).join(" ")}\n`);
  writeFileSync(join(proc, "8/environ"), "");
  writeFileSync(join(proc, "8/cmdline"), "");
  const found = linuxProcessTable(proc).withEnvironment(["SLIPWAY_SANDBOX_ID=x"]);
  writeFileSync(join(proc, "8/environ"), "SLIPWAY_SANDBOX_ID=x\0");
  expect(await found).toEqual([8]);
});

test("a process whose program is replaced between two reads is found", async () => {
  const proc = scratch();
  mkdirSync(join(proc, "8/fd"), { recursive: true });
  const table = linuxProcessTable(proc);
  // Its environment was read too early: by now its arguments are there, and the place of an environment of 20 bytes.
  const unread = (): void => {
    const rest = Array.from({ length: 42 }, (_, at) => at);
    writeFileSync(join(proc, "8/stat"), `8 (sh) R 3 9 ${rest.join(" ")} 5000 5500 5500 5520 0\n`);
    writeFileSync(join(proc, "8/environ"), "");
    writeFileSync(join(proc, "8/cmdline"), "true\0");
  };
  unread();
  const found = table.withEnvironment(["SLIPWAY_SANDBOX_ID=x"]);
  writeFileSync(join(proc, "8/environ"), "SLIPWAY_SANDBOX_ID=x\0");
  expect(await found).toEqual([8]);
  unread();
  const everything = table.everything("SLIPWAY_SANDBOX_ID");
  writeFileSync(join(proc, "8/environ"), "SLIPWAY_SANDBOX_ID=x\0");
  expect((await everything).map(({ pid, tag }) => [pid, tag])).toEqual([[8, "x"]]);
});

test("an identity is this very process, and survives being stored", async () => {
  const self = await identifySelf();
  const stored = parseProcessIdentity(JSON.parse(JSON.stringify(self)));
  expect(stored).toEqual(self);
  expect(await processState(self)).toBe("alive");
  expect(await identify(2 ** 22 + 1)).toBeNull();
  for (const wrong of [null, 7, {}, { ...self, pid: "1" }, { ...self, pid: -1 }, { ...self, bootId: 3 }]) {
    expect(parseProcessIdentity(wrong)).toBeNull();
  }
});

test("a system without a process table is refused by name", () => {
  expect(() => systemProcessTable("win32")).toThrow(/win32/);
});
