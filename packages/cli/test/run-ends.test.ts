import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { allEntries, fileStore, type StoredRecord } from "@slipway/control";
import { ProviderError } from "@slipway/core";
import { describe, expect, it } from "vitest";
import type { Interrupt } from "../src/world.ts";
import { type CommandLine, commandLine } from "./command-line.ts";

const launches = (line: CommandLine) => fileStore(join(line.state, "slipway", "launch"));

async function remembered(line: CommandLine): Promise<readonly StoredRecord[]> {
  return (await allEntries(launches(line))).map(({ record }) => record);
}

function expiries(line: CommandLine): readonly string[] {
  const directory = join(line.state, "slipway", "expiry");
  return existsSync(directory) ? readdirSync(directory) : [];
}

describe("the end of a run", () => {
  it("whose launch has lost its lease to another process says that the instance may be left", async () => {
    const line = commandLine();
    line.remote.hooks.set("spawn", async () => {
      const directory = join(line.state, "slipway", "launch");
      for (const file of readdirSync(directory)) if (file.endsWith(".lease")) rmSync(join(directory, file));
      const [entry] = await allEntries(launches(line));
      await launches(line).acquire(entry?.id ?? "");
    });
    const { exitCode, stderr } = await line.slipway(["run", "--key", "k", "--ttl", "1h", "--", "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("NOT_HELD");
    expect(stderr).toContain("An instance may be left running. To see it: slipway list --key k\n");
    expect(stderr).not.toContain("slipway terminate");
  });

  it("that fails after work that succeeded keeps the record, and says that the instance may be left", async () => {
    const line = commandLine();
    line.remote.failures.set(
      "terminate",
      () =>
        new ProviderError("AUTH_ERROR", {
          provider: "local",
          operation: "terminate",
          message: "the key is revoked",
          effect: "none",
        }),
    );
    const { exitCode, stderr } = await line.slipway(["run", "--key", "k", "--ttl", "1h", "--", "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("error AUTH_ERROR (local terminate)");
    expect(stderr).toContain("The instance may be left running. To end it: slipway terminate k\n");
    expect(await remembered(line)).toMatchObject([{ kind: "launch", state: "launched", instanceId: "i-1" }]);
    expect(expiries(line)).toHaveLength(1);

    line.remote.failures.clear();
    line.clock.advance(7_200_000);
    expect((await line.slipway(["reconcile", "--apply", "--yes"])).stdout).toContain("(expired) terminated");
    expect(line.remote.instances.get("i-1")?.status).toBe("terminated");
  });

  it("leaves nothing of the --ttl behind, though its record is forgotten already", async () => {
    const line = commandLine();
    expect(await line.slipway(["run", "--key", "k", "--ttl", "1h", "--", "true"])).toMatchObject({ exitCode: 0 });
    expect(await remembered(line)).toEqual([]);
    expect(expiries(line)).toEqual([]);
  });
});

it("a launch that was kept as ended gives a --ttl its whole time", async () => {
  const line = commandLine();
  const spawn = async () => (await line.slipway(["spawn", "--key", "k", "--ttl", "1h", "--json"])).json();
  await spawn();
  const store = launches(line);
  const [entry] = await allEntries(store);
  if (entry?.record.kind !== "launch") throw new Error("the launch is not remembered");
  const lease = await store.acquire(entry.id);
  await store.write(entry.id, { ...entry.record, state: "ended" });
  if (lease !== null) await store.release(lease);
  line.remote.instances.clear();
  line.clock.advance(7_200_000);
  const expiresAt = new Date(Math.ceil((line.clock.now() + 3_600_000) / 1000) * 1000).toISOString();
  expect(await spawn()).toMatchObject({ expiresAt });
});

describe("what a run brings back", () => {
  const handOut = (argv: readonly string[]) => argv.find((word) => word.startsWith("slipway-run/"));

  it("fails where the instance itself is gone, though that is NOT_FOUND too", async () => {
    const line = commandLine();
    line.remote.shell = async (argv) => {
      if (handOut(argv) === undefined) return undefined;
      const message = "there is no i-1";
      throw new ProviderError("NOT_FOUND", { provider: "local", operation: "exec", message, effect: "none" });
    };
    const run = await line.slipway(["run", "--download", "out", "--", "true"]);
    expect(run).toMatchObject({ exitCode: 125, stdout: "" });
    expect(run.stderr).toContain("error NOT_FOUND (local exec)");
    expect(run.stderr).not.toContain("wrote no out");
  });

  it("is all that can be brought: each that fails is told, and keeps no other away", async () => {
    const line = commandLine();
    const asked: string[] = [];
    line.remote.shell = async (argv) => {
      const path = handOut(argv);
      if (path === undefined) return undefined;
      asked.push(path);
      if (path === "slipway-run/none") return { exitCode: 44, stdout: "", stderr: "" };
      return { exitCode: 2, stdout: "", stderr: `tar: ${path} is broken` };
    };
    const downloads = ["a", "none", "b"].flatMap((path) => ["--download", path]);
    const run = await line.slipway(["run", ...downloads, "--", "true"]);
    expect(asked).toEqual(["slipway-run/a", "slipway-run/none", "slipway-run/b"]);
    expect(run.exitCode).toBe(125);
    for (const path of ["a", "b"]) expect(run.stderr.split(`tar: slipway-run/${path} is broken`)).toHaveLength(2);
    expect(run.stderr).toContain("The command wrote no none: nothing was downloaded.\n");
    expect([...line.remote.instances.values()].map(({ status }) => status)).toEqual(["terminated"]);
  });
});

describe("the signals of programs", () => {
  /** Presses what is given while the launch hangs, and answers how often the command has quit. */
  async function quitsAfter(presses: readonly ("person" | "program")[]): Promise<number> {
    const line = commandLine();
    let take: (interrupt: Interrupt) => void = () => undefined;
    let quits = 0;
    const launching = Promise.withResolvers<void>();
    const stuck = Promise.withResolvers<void>();
    line.remote.hooks.set("spawn", async () => {
      launching.resolve();
      await stuck.promise;
    });
    const run = line.slipway(["run", "--key", "k", "--", "true"], {
      handleInterrupts: (listener) => {
        take = listener;
        return () => undefined;
      },
    });
    await launching.promise;
    for (const press of presses) take({ isFinal: press === "program", quit: () => void (quits += 1) });
    stuck.resolve();
    expect((await run).exitCode).toBe(130);
    expect([...line.remote.instances.values()].filter(({ status }) => status !== "terminated")).toEqual([]);
    return quits;
  }

  it.each<[string, readonly ("person" | "program")[], number]>([
    ["SIGTERM and SIGHUP", ["program", "program"], 0],
    ["however many", ["program", "program", "program", "program"], 0],
    ["after one press of Ctrl-C", ["person", "program", "program"], 0],
    ["after two presses", ["person", "person", "program"], 0],
    ["and then Ctrl-C", ["program", "program", "person"], 1],
  ])("never quit: %s", async (_what, presses, quits) => {
    expect(await quitsAfter(presses)).toBe(quits);
  });
});

it("cp ends at its --timeout, also while a file is under way", async () => {
  const line = commandLine();
  await line.slipway(["spawn", "--key", "k"]);
  line.write("file", "text");
  const over = Promise.withResolvers<void>();
  line.remote.shell = (_argv, signal) => {
    // The rest goes on as always: what was copied so far is removed.
    line.remote.shell = async () => undefined;
    over.resolve();
    return new Promise((_resolve, reject) => {
      if (signal?.aborted === true) reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  };
  // Seven seconds are over when the copy has begun; no other time passes.
  const clock = {
    ...line.clock,
    sleep: (ms: number, signal?: AbortSignal) => (ms === 7_000 ? over.promise : line.clock.sleep(ms, signal)),
  };
  const run = await line.slipway(["cp", "file", "k:file", "--timeout", "7s"], { clock });
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.stderr).toContain("error TIMEOUT");
});
