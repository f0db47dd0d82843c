import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { commandLine } from "./command-line.ts";

describe("a line that is wrong", () => {
  it.each([
    [[], 2, ""],
    [["spwan"], 2, "Did you mean `slipway spawn`?"],
    [["nonsense-command"], 2, "UNKNOWN_COMMAND"],
    [["list", "--regoin", "x"], 2, "Did you mean --region?"],
    [["list", "--zone", "x"], 2, "UNKNOWN_OPTION"],
    [["list", "extra"], 2, "UNEXPECTED_ARGUMENT"],
    [["get"], 2, "MISSING_ARGUMENT"],
    [["list", "--status", "sleeping"], 2, "It must be one of pending"],
    [["spawn", "--key", ""], 2, "1 to 128 printable ASCII"],
    [["spawn", "--key", "x".repeat(129)], 2, "this one has 129"],
    [["spawn", "--key", "käse"], 2, "holds another character"],
    [["spawn", "--key", "a\nb"], 2, "holds another character"],
    [["spawn", "--ttl", "2"], 2, "as 90s, 15m, 2h or 7d"],
    [["spawn", "--ttl", "-2h"], 2, "INVALID_ARGUMENT"],
    [["spawn", "--timeout", "30d"], 2, "at most 24d"],
    [["spawn", "--key", "a", "--ttl", "99999999d"], 2, "too long"],
    [["spawn", "--max-usd-per-hour", "0"], 2, "above 0"],
    [["spawn", "--gpu", "a10:0"], 2, "--gpu takes"],
    [["spawn", "--port", "http"], 2, "--port takes"],
    [["spawn", "--volume", "vol"], 2, "--volume takes"],
    [["spawn", "--file", "etc/x=y"], 2, "absolute path"],
    [["spawn", "--bootstrap", "absent.sh"], 2, "there is no such file"],
    [["spawn", "--bootstrap", "."], 2, "it is a directory"],
    [["spawn", "--ssh-key", "absent.pub"], 2, "UNREADABLE_FILE"],
    [["spawn", "--env-file", "absent"], 2, "UNREADABLE_FILE"],
    [["spawn", "--tailscale-tag", "x"], 2, "--tailscale-auth-key-file"],
    [["spawn", "--feature", "podman"], 2, "docker, tailscale"],
    [["get", ""], 2, "MISSING_ARGUMENT"],
  ])("%j: exit %i and one clear line", async (args, exitCode, says) => {
    const { slipway, remote } = commandLine();
    const run = await slipway(args);
    expect(run.exitCode).toBe(exitCode);
    if (says === "") return;
    expect(run.stdout).toBe("");
    expect(run.stderr).toContain(says);
    expect(run.stderr).toMatch(/^slipway: error [A-Z_]+: /);
    expect(remote.called("spawn")).toEqual([]);
    const json = await slipway([...args, "--json"]);
    expect(json.exitCode).toBe(exitCode);
    expect(json.error()).toMatchObject({ name: "CliError", code: expect.stringMatching(/^[A-Z_]+$/) });
  });

  it("a bootstrap that is no UTF-8 text", async () => {
    const line = commandLine();
    writeFileSync(join(line.cwd, "b.sh"), Buffer.from([0xff, 0xfe, 0x00]));
    expect((await line.slipway(["spawn", "--bootstrap", "b.sh"])).stderr).toContain("is not UTF-8 text");
  });

  it("help and version are no errors", async () => {
    const { slipway } = commandLine();
    expect(await slipway(["--version"])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    for (const args of [
      ["--help"],
      ["help"],
      ["help", "spawn"],
      ["spawn", "--help"],
      ["snapshot", "create", "--help"],
    ]) {
      const run = await slipway(args);
      expect({ args, exitCode: run.exitCode }).toEqual({ args, exitCode: 0 });
      expect(run.stdout).toContain("Usage: slipway");
    }
    expect((await slipway(["help", "spawn"])).stdout).toContain("--max-usd-per-hour");
  });
});

describe("a state directory that cannot be used", () => {
  it("a corrupt owner file is named, and not replaced", async () => {
    const line = commandLine();
    await line.slipway(["list"]);
    const file = join(line.state, "slipway", "owner");
    writeFileSync(file, "Not An Owner!\n");
    const run = await line.slipway(["spawn", "--key", "a", "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.error()).toMatchObject({ code: "CORRUPT_STATE", message: expect.stringContaining(file) });
    expect(readFileSync(file, "utf8")).toBe("Not An Owner!\n");
    expect(line.remote.called("spawn")).toEqual([]);
  });

  it("a corrupt launch is named, is not replaced, and nothing is launched over it", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "a"]);
    const directory = join(line.state, "slipway", "launch");
    const [name = ""] = readdirSync(directory).filter((file) => file.endsWith(".json"));
    const file = join(directory, name);
    writeFileSync(file, '{"format":1,"id":');
    line.remote.instances.clear();
    const run = await line.slipway(["spawn", "--key", "a", "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.error()).toMatchObject({ name: "StoreError", code: "CORRUPT", message: expect.stringContaining(file) });
    expect(readFileSync(file, "utf8")).toBe('{"format":1,"id":');
    expect(line.remote.called("spawn").length).toBe(1);
    const doctor = await line.slipway(["doctor"]);
    expect(doctor.exitCode).toBe(1);
    expect(doctor.stdout).toContain(file);
    expect(doctor.stdout).toMatch(/ok +provider local/);
  });

  it("a corrupt launch hides no other from list, terminate and reconcile, which name it and fail", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "a"]);
    const directory = join(line.state, "slipway", "launch");
    const [name = ""] = readdirSync(directory).filter((file) => file.endsWith(".json"));
    writeFileSync(join(directory, name), "?");
    await line.slipway(["spawn", "--key", "b"]);
    const list = await line.slipway(["list"]);
    expect(list.exitCode).toBe(1);
    expect(list.stdout).toMatch(/ b /);
    expect(list.stderr).toContain(name);
    line.remote.instances.clear();
    const plan = await line.slipway(["reconcile"]);
    expect(plan.exitCode).toBe(1);
    expect(plan.stdout).toMatch(/missing .* b /);
    expect(plan.stderr).toContain(name);
    const found = await line.slipway(["terminate", "b", "--confirm"]);
    expect(found.exitCode).toBe(0);
    expect(found.stdout).toContain("is gone");
    const unknown = await line.slipway(["terminate", "a", "--confirm"]);
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain(name);
  });

  it("a corrupt expiry is named", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "a", "--ttl", "1h"]);
    const expiries = join(line.state, "slipway", "expiry");
    const directory = join(expiries, readdirSync(expiries)[0] ?? "");
    const [name = ""] = readdirSync(directory);
    writeFileSync(join(directory, name), "");
    const run = await line.slipway(["spawn", "--key", "a", "--ttl", "1h"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("CORRUPT_STATE");
    expect(run.stderr).toContain(name);
  });

  it("a file where the directory should be", async () => {
    const line = commandLine();
    writeFileSync(line.state, "");
    const run = await line.slipway(["spawn", "--key", "a"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("STATE_UNUSABLE");
    expect(run.stderr).toContain("XDG_STATE_HOME");
  });

  it("no directory at all", async () => {
    const { slipway } = commandLine();
    const run = await slipway(["spawn"], { env: { XDG_STATE_HOME: "relative" } });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("neither XDG_STATE_HOME nor HOME");
  });
});

describe("the owner", () => {
  it("is one, whoever asks first, also at the same moment", async () => {
    const line = commandLine();
    const runs = await Promise.all(
      Array.from({ length: 20 }, () =>
        line.slipway(["spawn", "--key", "k", "--ttl", "1h", "--json"], { clock: systemClock }),
      ),
    );
    expect(runs.map(({ exitCode, stderr }) => `${exitCode}${stderr}`)).toEqual(runs.map(() => "0"));
    const ids = new Set(runs.map((run) => (run.json() as { id: string }).id));
    expect(ids).toEqual(new Set(["i-1"]));
    expect(new Set(line.remote.called("register").map(([, owner]) => owner)).size).toBe(1);
  });
});
