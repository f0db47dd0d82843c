import { describe, expect, it } from "vitest";
import { sessionBootstrap } from "../src/index.ts";
import type { Session } from "../src/session.ts";

const DONE = "slipway-bootstrap 1\nstate=exited\nexitCode=7\n";

/** A session whose instance holds this sentinel and this log. */
function session(sentinel: string, log: string): Session {
  return {
    via: "native",
    exec: async (argv) => ({ exitCode: 0, stdout: `${sentinel}\n${argv.at(-1)}\n${log}`, stderr: "" }),
    start: () => Promise.reject(new Error("not here")),
    upload: () => Promise.reject(new Error("not here")),
    download: () => Promise.reject(new Error("not here")),
    job: () => {
      throw new Error("not here");
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

describe("sessionBootstrap", () => {
  it("reads state, exit code and last lines from the instance", async () => {
    const source = sessionBootstrap(session(DONE, "one\n\n\u001b[2Jtwo\n"));
    expect(await source.readBootstrap("i")).toEqual({ state: "failed", exitCode: 7, lastLines: ["one", " [2Jtwo"] });
  });

  it("takes a bootstrap that has not begun for pending", async () => {
    expect(await sessionBootstrap(session("", "")).readBootstrap("i")).toEqual({ state: "pending" });
  });

  it("does not take a sentinel in the log for one", async () => {
    expect(await sessionBootstrap(session("", DONE)).readBootstrap("i")).toMatchObject({ state: "pending" });
  });
});
