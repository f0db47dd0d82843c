import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { commandLine, installed } from "./command-line.ts";
import { FakeRemote, fakeModule, fault } from "./fake-provider.ts";

describe("slipway snapshot", () => {
  it("creates, waits, lists, tells the status and deletes", async () => {
    const { slipway } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    const made = await slipway(["snapshot", "create", "a", "--key", "s", "--wait", "--json"]);
    expect(made.json()).toMatchObject({ id: "snap-s", status: "available", instanceId: "i-1" });
    expect((await slipway(["snapshot", "list"])).stdout).toMatch(/snap-s +s +pending +i-1 +2 KiB/);
    expect((await slipway(["snapshot", "status", "snap-s"])).stdout).toBe("available\n");
    expect((await slipway(["snapshot", "delete", "snap-s"])).exitCode).toBe(0);
    expect((await slipway(["snapshot", "status", "snap-s", "--json"])).error()).toMatchObject({ code: "NOT_FOUND" });
    expect((await slipway(["snapshot", "list"])).stderr).toBe("No snapshots.\n");
  });

  it("is refused with the provider's own reason", async () => {
    const { slipway, remote } = commandLine({ bare: true });
    const run = await slipway(["snapshot", "list", "--json"]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.error()).toMatchObject({
      code: "UNSUPPORTED",
      message: "local does not support snapshots: this remote has no disks to copy",
    });
    expect(remote.calls.map(({ method }) => method)).toEqual(["register"]);
  });

  it("needs a subcommand", async () => {
    const { slipway } = commandLine();
    const run = await slipway(["snapshot"]);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toContain("MISSING_ARGUMENT");
    expect((await slipway(["snapshot", "lst"])).stderr).toContain("list");
  });
});

describe("slipway volume", () => {
  it("creates, lists and deletes", async () => {
    const { slipway, remote } = commandLine();
    expect((await slipway(["volume", "create", "--key", "v", "--size", "2G", "--json"])).json()).toMatchObject({
      id: "vol-v",
    });
    expect(remote.called("createVolume")).toEqual([["v", 2 * 2 ** 30]]);
    expect((await slipway(["volume", "list"])).stdout).toContain("2 GiB");
    await slipway(["volume", "delete", "vol-v"]);
    expect((await slipway(["volume", "list", "--json"])).json()).toEqual([]);
  });

  it("needs a size that is one", async () => {
    const { slipway } = commandLine();
    for (const size of ["", "0", "-1", "1X", "1e99G", "NaN", "1 000"]) {
      const run = await slipway(["volume", "create", "--size", size]);
      expect({ size, exitCode: run.exitCode }).toEqual({ size, exitCode: 2 });
    }
    expect((await slipway(["volume", "create"])).exitCode).toBe(2);
  });

  it("says what warm volumes need", async () => {
    const { slipway } = commandLine();
    const run = await slipway(["volume", "warm", "--size", "1G", "--pool", "p", "--zone", "z", "--json"]);
    expect(run.error()).toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("slipway spot and prices", () => {
  it("requests, cancels, and shows prices with the cheapest first", async () => {
    const { slipway, remote } = commandLine();
    const run = await slipway(["spot", "request", "--key", "k", "--spec", "big", "--json"]);
    expect(run.json()).toEqual({ key: "k", requestId: "req-1", status: "open", instanceId: null });
    const ttl = await slipway(["spot", "request", "--key", "t", "--spec", "big", "--ttl", "1h"]);
    expect(ttl.stderr).toContain("Nothing terminates it by itself. Run `slipway reap`");
    await slipway(["spot", "cancel", "req-1"]);
    expect(remote.called("cancelSpotRequest")).toEqual([["req-1"]]);
    for (const words of [["prices"], ["spot", "prices"]]) {
      const lines = (await slipway(words)).stdout.trimEnd().split("\n");
      expect(lines[1]).toMatch(/^small +r1 +0\.0040 +live/);
      expect(lines[2]).toMatch(/^big +r1 +2\.50 +live/);
    }
  });

  it("says how to look for a request, also after an answer that was lost", async () => {
    const line = commandLine();
    const remote = new FakeRemote();
    const entry = installed(line, "@acme/compute", "acme", { variables: ["ACME_KEY"] });
    line.modules.set(pathToFileURL(entry).href, () => fakeModule(remote, { name: "acme" }));
    const words = ["spot", "request", "--provider", "acme", "--key", "k", "--spec", "big"];
    expect((await line.slipway(words)).stdout).toMatch(/look +slipway list --provider acme --key k\n/);
    remote.failures.set("requestSpotInstance", () => fault("NETWORK", "acme", "cut", undefined, "unknown"));
    expect((await line.slipway(words)).stderr).toContain("look with `slipway list --provider acme --key k`");
  });

  const price = { usdPerHour: 0.75, per: "instance", asOf: "2026-01-31T12:00:00Z", source: "live" } as const;
  const a10 = { spec: "a10", price, regions: ["r1", "r2"], resources: { gpus: { type: "A10", count: 1 } } };
  const offerings = [a10, { spec: "h100", price: { ...price, usdPerHour: 2.99 }, regions: [] }, { spec: "odd" }];

  it("shows machine types with price, source, age and where they are, where a provider can tell", async () => {
    const { slipway, remote } = commandLine({ sells: true });
    remote.offerings = offerings;
    const [, ...rows] = (await slipway(["prices"])).stdout.trimEnd().split("\n");
    expect(rows).toEqual([
      expect.stringMatching(/^a10 +1x A10 +0\.75 +r1, r2 +live +2026-01-31T12:00:00Z$/),
      expect.stringMatching(/^h100 +- +2\.99 +sold out +live/),
      expect.stringMatching(/^odd +- +not known +not known/),
    ]);
    expect((await slipway(["prices", "--json"])).json()).toEqual(offerings);
    expect((await slipway(["prices", "--region", "r2", "--json"])).json()).toEqual([a10, { spec: "odd" }]);
    expect((await slipway(["prices", "--spec", "h100", "--json"])).json()).toMatchObject([{ spec: "h100" }]);
    expect((await slipway(["prices", "--spot"])).stdout).toMatch(/^small +r1 +0\.0040 +live/m);
  });

  it("says so where a provider tells no prices", async () => {
    const { slipway } = commandLine({ bare: true });
    const run = await slipway(["prices", "--json"]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.error()).toMatchObject({ code: "UNSUPPORTED" });
  });

  it("shows what was spent", async () => {
    const { slipway } = commandLine();
    const run = await slipway(["prices", "--spent", "--from", "2026-01-01", "--json"]);
    expect(run.json()).toMatchObject([{ usd: 12.3, from: "2026-01-01T00:00:00.000Z", to: "2026-01-31T12:00:00.000Z" }]);
    expect((await slipway(["prices", "--spent", "--from", "yesterday"])).exitCode).toBe(2);
  });
});

describe("slipway hibernate and resume", () => {
  it("changes the status", async () => {
    const { slipway } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    expect((await slipway(["hibernate", "a", "--json"])).json()).toMatchObject({ status: "hibernated" });
    expect((await slipway(["resume", "a", "--json"])).json()).toMatchObject({ status: "running" });
  });
});

describe("slipway bootstrap render", () => {
  it("prints the bytes on stdout, and their checksum beside them", async () => {
    const line = commandLine();
    line.write("setup.sh", "echo hi");
    const run = await line.slipway(["bootstrap", "render", "setup.sh"]);
    expect(run.stdout).toBe("#!/bin/sh\necho hi\n");
    expect(run.stderr).toMatch(/^shell, 18 bytes, sha256:[0-9a-f]{64}\n$/);
    const json = await line.slipway(["bootstrap", "render", "setup.sh", "--json"]);
    expect(json.json()).toMatchObject({ content: run.stdout, format: "shell", byteLength: 18 });
    expect((await line.slipway(["bootstrap", "render"])).exitCode).toBe(2);
  });

  it("renders either format without a provider, the same bytes every time", async () => {
    const { slipway, remote } = commandLine();
    const args = ["bootstrap", "render", "-", "--env", "A=it's", "--json"];
    for (const format of ["cloud-init", "shell"]) {
      const first = await slipway([...args, "--format", format], { input: "echo $A" });
      const second = await slipway([...args, "--format", format], { input: "echo $A" });
      expect(first.json()).toMatchObject({ format });
      expect(second.stdout).toBe(first.stdout);
    }
    expect(remote.calls).toEqual([]);
  });
});

describe("slipway reconcile", () => {
  it("prints the plan, and acts only when it is told to and confirmed", async () => {
    const { slipway, remote, clock } = commandLine();
    await slipway(["spawn", "--key", "a", "--ttl", "1h"]);
    expect((await slipway(["reconcile"])).stderr).toBe("All is as it was launched.\n");
    clock.advance(7_200_000);
    const plan = await slipway(["reconcile"]);
    expect(plan).toMatchObject({ exitCode: 0 });
    expect(plan.stdout).toMatch(/expired +local +i-1 +a +terminate/);
    expect((await slipway(["reconcile", "--json"])).json()).toMatchObject([
      { items: [{ kind: "expired", instanceId: "i-1" }] },
    ]);
    expect((await slipway(["reconcile", "--apply"])).exitCode).toBe(2);
    expect(remote.called("terminate")).toEqual([]);
    expect((await slipway(["reconcile", "--apply", "--yes", "--only", "orphan"])).exitCode).toBe(0);
    expect(remote.called("terminate")).toEqual([]);
    const applied = await slipway(["reconcile", "--apply", "--yes"]);
    expect(applied.stdout).toContain("i-1 (expired) terminated");
    expect(remote.called("terminate")).toEqual([["i-1"]]);
  });

  it("leaves what a run made that the store does not know, until its kind is named", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    for (const one of [...remote.instances.values()]) {
      remote.instances.set("i-9", { ...one, id: "i-9", key: `wf-${"0".repeat(40)}` });
    }
    expect((await slipway(["reconcile"])).stdout).toMatch(/unknown-run +local +i-9 .*leave: its run may go on/);
    const left = await slipway(["reconcile", "--apply", "--yes"]);
    expect(left.stdout).toMatch(/^i-9 \(unknown-run\) skipped: its run is not in this store/m);
    expect(remote.called("terminate")).toEqual([]);
    const ended = await slipway(["reconcile", "--apply", "--yes", "--only", "unknown-run"]);
    expect(ended.stdout).toContain("i-9 (unknown-run) terminated");
    expect(remote.called("terminate")).toEqual([["i-9"]]);
  });
});
