import { describe, expect, it } from "vitest";
import { providerFirst } from "../src/known-providers.ts";
import { commandLine } from "./command-line.ts";

const GROUP = { kind: "security-group", id: "sg-1", region: "here", reason: "no interface uses it" };
const BUSY = { kind: "security-group", id: "sg-2", reason: "busy" };

describe("slipway reconcile --apply", () => {
  it("removes keys that no instance needs, and no other leftover", async () => {
    const { slipway, remote } = commandLine({ leaves: "keys" });
    remote.leftovers = [
      GROUP,
      { kind: "ssh-key", id: "k-1", sshKey: "ssh-ed25519 AAAA a comment", reason: "no instance" },
    ];
    expect((await slipway(["reconcile"])).exitCode).toBe(0);
    expect((await slipway(["reconcile", "--apply", "--yes", "--only", "orphan"])).exitCode).toBe(0);
    expect((await slipway(["reconcile", "--apply"])).stderr).toContain("Add --yes.");
    expect(remote.called("removeLeftover")).toEqual([]);
    const done = await slipway(["reconcile", "--apply", "--yes"]);
    expect(done).toMatchObject({ exitCode: 0, stdout: "k-1 (ssh-key) removed: no instance needs it\n" });
    expect(remote.leftovers).toEqual([GROUP]);
  });
});

describe("slipway reconcile --apply of a provider that adds no keys", () => {
  it("does not fail because it may not look for other leftovers", async () => {
    const { slipway, remote } = commandLine({ leaves: true });
    remote.failures.set("planCleanup", () => new Error("not authorized: DescribeSecurityGroups"));
    expect(await slipway(["reconcile", "--apply", "--yes"])).toMatchObject({ exitCode: 0 });
    expect(remote.called("planCleanup")).toEqual([]);
  });
});

describe("slipway cleanup", () => {
  it("shows what could go, and changes nothing with --dry-run", async () => {
    const { slipway, remote } = commandLine({ leaves: true });
    expect((await slipway(["cleanup", "--dry-run"])).stderr).toBe("Nothing is left over.\n");
    remote.leftovers = [GROUP];
    const shown = await slipway(["local", "cleanup", "--dry-run"]);
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(/security-group +local +sg-1 +no interface uses it/);
    expect((await slipway(["cleanup", "--provider", "local", "--dry-run", "--json"])).json()).toEqual([
      { ...GROUP, provider: "local" },
    ]);
    expect(remote.called("removeLeftover")).toEqual([]);
  });

  it("deletes only once it is confirmed", async () => {
    const { slipway, remote } = commandLine({ leaves: true });
    remote.leftovers = [GROUP, BUSY];
    const asked = await slipway(["cleanup"]);
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toContain("Add --yes.");
    expect(remote.called("removeLeftover")).toEqual([]);
    const done = await slipway(["cleanup", "--yes"]);
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.stdout).toContain("sg-1 (security-group) removed\nsg-2 (security-group) in-use\n");
    expect(remote.leftovers).toEqual([BUSY]);
  });

  it("tries all, tells every failure, and then fails", async () => {
    const { slipway, remote } = commandLine({ leaves: true });
    remote.leftovers = [GROUP, BUSY];
    remote.failures.set("removeLeftover", () => new Error("the remote is down"));
    const run = await slipway(["cleanup", "--yes", "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.json()).toMatchObject([{ outcome: "failed" }, { outcome: "failed" }]);
    expect(remote.called("removeLeftover")).toEqual([["sg-1"], ["sg-2"]]);
  });

  it("says of a provider that leaves nothing that it does not", async () => {
    const { slipway } = commandLine();
    expect((await slipway(["cleanup", "--dry-run"])).stderr).toBe("Nothing is left over.\n");
    expect((await slipway(["cleanup", "--provider", "local", "--json"])).error()).toMatchObject({
      code: "UNSUPPORTED",
    });
  });
});

describe("a provider's name before the command", () => {
  const COMMANDS = ["cleanup", "exec", "aws-command"];
  it.each([
    [
      ["aws", "cleanup", "--dry-run"],
      ["cleanup", "--dry-run", "--provider", "aws"],
    ],
    [
      ["aws", "exec", "i-1", "--", "ls", "-l"],
      ["exec", "i-1", "--provider", "aws", "--", "ls", "-l"],
    ],
    [
      ["aws", "what"],
      ["aws", "what"],
    ],
    [["aws"], ["aws"]],
    [
      ["cleanup", "aws"],
      ["cleanup", "aws"],
    ],
    [
      ["elsewhere", "cleanup"],
      ["elsewhere", "cleanup"],
    ],
    [[], []],
  ])("%j is %j", (given, meant) => {
    expect(providerFirst(given, COMMANDS, ["aws", "local"])).toEqual(meant);
  });
});
