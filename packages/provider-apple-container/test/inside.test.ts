import type { Exec } from "@slipway/core";
import { CommandError } from "@slipway/provider-kit/command";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import { appleContainer } from "../src/index.ts";
import { answeringExec, type Sent } from "./answering-exec.ts";
import { failure } from "./failure.ts";

const labels = { "dev.slipway.owner": "t", "dev.slipway.key": "k", "dev.slipway.generation": "0123456789ab" };
const row = (state: string, more: object = {}) => ({
  stdout: JSON.stringify([{ id: "web", configuration: { labels: { ...labels, ...more } }, status: { state } }]),
});
const over = (exec: Exec, clock = simulatedClock()) =>
  appleContainer({ owner: "t", variables: {}, runtime: { exec, clock } });

async function collected(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe("logs", () => {
  test("are whole lines without their newline, blank ones too", async () => {
    const provider = over(answeringExec({ inspect: row("stopped"), logs: { stdout: "one\n\ntwo\n" } }));
    expect(await collected(provider.logs("web"))).toEqual(["one", "", "two"]);
  });

  test("of an instance that is gone are NOT_FOUND", async () => {
    const error = await failure(collected(over(answeringExec({})).logs("web")));
    expect(error).toMatchObject({ code: "NOT_FOUND", operation: "logs" });
  });

  /** A command that prints and never ends, as the real one does. */
  const following = (inner: Exec, ended: string[]): Exec => {
    return (file, args, options = {}) => {
      if (args[1] !== "--follow") return inner(file, args, options);
      options.onStdout?.("one\ntw");
      options.onStdout?.("o\nthr");
      return new Promise((_resolve, reject) => {
        const end = (): void => {
          ended.push("ended");
          reject(new CommandError({ fault: "cancelled", reason: "x", command: [], started: true, durationMs: 1 }));
        };
        options.signal?.addEventListener("abort", end, { once: true });
      });
    };
  };

  test("followed end when the instance does, and the command is ended", async () => {
    const ended: string[] = [];
    let looks = 0;
    const states = ["running", "running", "stopped"];
    const inner: Exec = (file, args, options) =>
      answeringExec({ inspect: row(args[0] === "inspect" ? (states[looks++] ?? "stopped") : "") })(file, args, options);
    expect(await collected(over(following(inner, ended)).logs("web", { follow: true }))).toEqual(["one", "two", "thr"]);
    expect(ended).toEqual(["ended"]);
    expect(looks).toBe(3);
  });

  test("followed end the command when nobody listens any more", async () => {
    const ended: string[] = [];
    const provider = over(following(answeringExec({ inspect: row("running") }), ended));
    for await (const line of provider.logs("web", { follow: true })) {
      expect(line).toBe("one");
      break;
    }
    expect(ended).toEqual(["ended"]);
  });
});

describe("the state of a bootstrap", () => {
  const asked = { "dev.slipway.bootstrap": "sha256:x" };

  test.each([
    ["", { state: "pending" }],
    ["slipway-bootstrap 1\nstate=running\n", { state: "running" }],
    ["slipway-bootstrap 1\nstate=exited\nexitCode=7\n", { state: "failed", exitCode: 7 }],
    ["nonsense", { state: "unknown" }],
  ])("%j", async (stdout, bootstrap) => {
    const provider = over(answeringExec({ inspect: row("running", asked), exec: { stdout } }));
    expect((await provider.get("web"))?.bootstrap).toEqual(bootstrap);
  });

  test("is asked for only where there is one, and it can be", async () => {
    for (const inspect of [row("running"), row("stopped", asked)]) {
      const sent: Sent[] = [];
      expect((await over(answeringExec({ inspect }, sent)).get("web"))?.bootstrap).toBeUndefined();
      expect(sent.some(({ args }) => args[0] === "exec")).toBe(false);
    }
  });
});

describe("a command that hangs", () => {
  const hanging = (verb: string, inner: Exec): Exec => {
    return async (file, args, options) => {
      if (args[0] !== verb) return await inner(file, args, options);
      throw new CommandError({
        fault: "timedOut",
        reason: "it did not finish in time",
        command: [file, verb],
        started: true,
        durationMs: 1,
      });
    };
  };

  test.each([
    ["run", "unknown"],
    ["inspect", "none"],
  ] as const)("at %s is TIMEOUT, effect %s", async (verb, effect) => {
    const error = await failure(over(hanging(verb, answeringExec({}))).spawn({}));
    expect(error).toMatchObject({ code: "TIMEOUT", effect, operation: "spawn" });
  });

  test("at delete is killed and tried once more, and then told", async () => {
    const sent: Sent[] = [];
    const error = await failure(
      over(hanging("delete", answeringExec({ inspect: row("running") }, sent))).terminate("web"),
    );
    expect(error).toMatchObject({ code: "TIMEOUT", effect: "unknown" });
    expect(sent.filter(({ args }) => args[0] === "kill")).toHaveLength(1);
  });
});

test("what is no name never reaches an argument list", async () => {
  const sent: Sent[] = [];
  const provider = over(answeringExec({}, sent));
  for (const id of ["--all", "", "-f", "a b", "../x", "x".repeat(80), "é"]) {
    expect(await provider.get(id)).toBeNull();
    await provider.terminate(id);
    await provider.deleteVolume(id.startsWith("-") ? id : `-${id}`);
  }
  expect(sent).toEqual([]);
});
