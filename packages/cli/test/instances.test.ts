import { describe, expect, it } from "vitest";
import { usd } from "../src/spent.ts";
import { commandLine } from "./command-line.ts";
import { fault } from "./fake-provider.ts";

it("an amount keeps its cents, and is never nothing where it is something", () => {
  expect([0, 0.00012, 0.75, 99.5, 100, 120.5].map(usd)).toEqual([
    "0.00",
    "0.00012",
    "0.75",
    "99.50",
    "100.00",
    "120.50",
  ]);
});

describe("slipway list", () => {
  it("shows aligned columns, and says beside the results that there are none", async () => {
    const { slipway } = commandLine();
    expect(await slipway(["list"])).toMatchObject({ exitCode: 0, stdout: "", stderr: "No instances.\n" });
    await slipway(["spawn", "--key", "a"]);
    await slipway(["spawn", "--key", "a-longer-key"]);
    const { stdout } = await slipway(["list"]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^ID +KEY +STATUS/);
    expect(new Set(lines.map((line) => line.search(/STATUS|running/))).size).toBe(1);
  });

  it("is an empty list as JSON, and filters by what is asked", async () => {
    const { slipway, remote } = commandLine();
    expect((await slipway(["list", "--json"])).json()).toEqual([]);
    await slipway([
      "list",
      "--json",
      "--key",
      "a",
      "--key",
      "b",
      "--status",
      "stopped",
      "--label",
      "x=y",
      "--owner",
      "*",
    ]);
    expect(remote.called("list").at(-1)?.[0]).toMatchObject({
      keys: ["a", "b"],
      status: ["stopped"],
      labels: { x: "y" },
      owner: "*",
    });
  });

  it("shows a remote's text without its control characters", async () => {
    const { slipway, remote } = commandLine();
    remote.statusReason = { code: "X", message: "\u001b]0;owned\u0007 \u001b[2J" };
    await slipway(["spawn", "--key", "a"]);
    const { stdout } = await slipway(["get", "a"]);
    expect(stdout).toContain("\\x1b]0;owned\\x07");
    expect(stdout).not.toContain("\u001b");
  });

  it("shows what it has and says what is missing, to people and to programs", async () => {
    const line = commandLine();
    line.write("slipway.config.json", JSON.stringify({ providers: { broken: { package: "./broken.mjs" } } }));
    line.write("broken.mjs", "throw new Error('no such library')");
    await line.slipway(["spawn", "--key", "a"]);
    const people = await line.slipway(["list"]);
    expect(people.exitCode).toBe(1);
    expect(people.stdout).toContain("i-1");
    expect(people.stderr).toContain("BROKEN_PROVIDER: ./broken.mjs cannot be loaded: no such library");
    const json = await line.slipway(["list", "--json"]);
    expect(json.exitCode).toBe(1);
    expect(json.json()).toMatchObject([{ id: "i-1" }]);
    expect(json.error()).toMatchObject({ code: "BROKEN_PROVIDER", message: expect.stringContaining("./broken.mjs") });
    expect((await line.slipway(["list", "--provider", "local", "--json"])).exitCode).toBe(0);
  });

  it("says UNAVAILABLE of a remote that is down, and not that there is nothing", async () => {
    const { slipway, remote } = commandLine();
    remote.failures.set("list", () => fault("UNAVAILABLE", "local", "the remote is down"));
    const run = await slipway(["list"]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("error UNAVAILABLE");
    expect(run.stderr).not.toContain("No instances");
  });
});

describe("slipway get", () => {
  it("finds by id and by key, also one that has ended", async () => {
    const { slipway } = commandLine();
    await slipway(["spawn", "--key", "web"]);
    expect((await slipway(["get", "i-1", "--json"])).json()).toMatchObject({ key: "web" });
    expect((await slipway(["get", "web", "--json"])).json()).toMatchObject({ id: "i-1" });
    await slipway(["terminate", "web"]);
    expect((await slipway(["get", "web", "--json"])).json()).toMatchObject({ status: "terminated" });
  });

  it("is NOT_FOUND where nobody has it, and the failure where one could not be asked", async () => {
    const { slipway, remote } = commandLine();
    const none = await slipway(["get", "nothing", "--json"]);
    expect(none).toMatchObject({ exitCode: 1 });
    expect(none.error()).toMatchObject({ code: "NOT_FOUND" });
    remote.failures.set("get", () => fault("NETWORK", "local", "cut"));
    expect((await slipway(["get", "nothing", "--json"])).error()).toMatchObject({ code: "NETWORK" });
  });
});

describe("slipway terminate", () => {
  it("takes ids and keys, each once, and says what was not found", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    await slipway(["spawn", "--key", "b"]);
    const run = await slipway(["terminate", "a", "i-1", "i-2", "i-unknown", "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.json()).toEqual(
      expect.arrayContaining([
        { id: "i-1", key: "a", provider: "local", result: "accepted" },
        { id: "i-2", key: "b", provider: "local", result: "accepted" },
        { id: "i-unknown", key: null, provider: "local", result: "not-found" },
      ]),
    );
    // A read may lag: it is sent all the same.
    expect(remote.called("terminate").map(([id]) => id)).toEqual(["i-1", "i-2", "i-unknown"]);
  });

  it("ends what was launched under a key although no read shows it yet", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    const held = remote.instances.get("i-1");
    remote.instances.clear();
    const run = await slipway(["terminate", "a"]);
    expect(run.exitCode).toBe(0);
    expect(remote.called("terminate")).toEqual([["i-1"]]);
    expect(held?.key).toBe("a");
  });

  it("--all ends this owner's only, and asks first", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    await slipway(["spawn", "--key", "b"]);
    const [first] = remote.instances.values();
    if (first !== undefined) remote.instances.set("i-other", { ...first, id: "i-other", owner: "somebody-else" });

    const unasked = await slipway(["terminate", "--all", "--json"]);
    expect(unasked.exitCode).toBe(2);
    expect(unasked.error()).toMatchObject({ code: "NEEDS_CONFIRMATION", hint: "Add --yes." });
    const terminal = { stdin: { isTTY: true, read: async () => new Uint8Array() } };
    const written: string[] = [];
    const stderr = { isTTY: true, write: (text: string) => written.push(text) };
    const questions: string[] = [];
    const answer = (yes: boolean | null) => ({
      prompter: {
        confirm: async (question: string) => {
          questions.push(question);
          return yes;
        },
        text: async () => null,
      },
    });
    expect((await slipway(["terminate", "--all"], { ...terminal, stderr, ...answer(false) })).exitCode).toBe(130);
    expect((await slipway(["terminate", "--all"], { ...terminal, stderr, ...answer(null) })).exitCode).toBe(130);
    expect(remote.called("terminate")).toEqual([]);
    expect(questions).toEqual(["End 2 instances?", "End 2 instances?"]);
    expect(written.join("")).toContain("i-1");

    expect((await slipway(["terminate", "--all", "--yes"])).exitCode).toBe(0);
    expect(
      remote
        .called("terminate")
        .map(([id]) => id)
        .sort(),
    ).toEqual(["i-1", "i-2"]);
  });

  it("tells every failure, and what was ended all the same", async () => {
    const { slipway, remote } = commandLine();
    for (const key of ["a", "b", "c"]) await slipway(["spawn", "--key", key]);
    let calls = 0;
    remote.hooks.set("terminate", async () => {
      calls += 1;
      if (calls < 3) throw fault("UNAVAILABLE", "local", `down ${calls}`, undefined, "unknown");
    });
    const run = await slipway(["terminate", "a", "b", "c"]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain("i-3 (c) is being terminated");
    expect(run.stderr).toContain("down 1");
    expect(run.stderr).toContain("down 2");
  });

  it("leaves nothing for reconcile to miss", async () => {
    const { slipway } = commandLine();
    for (const key of ["a", "b"]) await slipway(["spawn", "--key", key, "--ttl", "1h"]);
    await slipway(["terminate", "a", "--confirm"]);
    await slipway(["terminate", "b"]);
    expect((await slipway(["reconcile"])).stderr).toBe("All is as it was launched.\n");
  });

  it("--confirm waits until get and list agree", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    const run = await slipway(["terminate", "a", "--confirm"]);
    expect(run.stdout).toBe("i-1 (a) is gone\n");
    expect(remote.called("list").length).toBeGreaterThan(0);
  });

  it("needs something to end", async () => {
    const { slipway, remote } = commandLine();
    expect(await slipway(["terminate"])).toMatchObject({ exitCode: 2 });
    expect((await slipway(["terminate", "--all", "i-1"])).exitCode).toBe(2);
    expect((await slipway(["terminate", ""])).exitCode).toBe(2);
    expect(remote.called("terminate")).toEqual([]);
  });
});

describe("a key that two providers have", () => {
  it("is named with both ids, and nothing is ended", async () => {
    const line = commandLine();
    const { FakeRemote, fakeModule } = await import("./fake-provider.ts");
    const other = new FakeRemote();
    other.next = 100;
    line.write("slipway.config.json", JSON.stringify({ providers: { other: { package: "./other.mjs" } } }));
    line.modules.set(`file://${line.write("other.mjs", "")}`, () => fakeModule(other, { name: "other" }));
    await line.slipway(["spawn", "--key", "k"]);
    await line.slipway(["spawn", "--key", "k", "--provider", "other"]);
    const run = await line.slipway(["terminate", "k"]);
    expect(run).toMatchObject({ exitCode: 2 });
    expect(run.stderr).toContain("i-1 (local) and i-100 (other)");
    expect((await line.slipway(["terminate", "k", "--provider", "other"])).exitCode).toBe(0);
    expect(line.remote.instances.get("i-1")?.status).toBe("running");
    // An id is found in whichever provider has it.
    expect((await line.slipway(["get", "i-100", "--json"])).json()).toMatchObject({ provider: "other" });
  });
});

describe("slipway wait", () => {
  it("answers when the status is there, and fails when it cannot come", async () => {
    const { slipway, remote } = commandLine();
    remote.status = "pending";
    await slipway(["spawn", "--key", "a"]);
    let looks = 0;
    remote.hooks.set("get", async () => {
      looks += 1;
      const one = remote.instances.get("i-1");
      if (looks === 4 && one !== undefined) remote.instances.set("i-1", { ...one, status: "running" });
    });
    expect((await slipway(["wait", "i-1", "--json"])).json()).toMatchObject({ status: "running" });
    const one = remote.instances.get("i-1");
    if (one !== undefined) remote.instances.set("i-1", { ...one, status: "error" });
    const failed = await slipway(["wait", "i-1", "--json"]);
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(failed.error()).toMatchObject({ code: "INVALID_STATE" });
  });
});
