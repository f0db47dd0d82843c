import { ProviderError } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { CommandError, type CommandFault, commandFailure, commandRunner } from "../../src/command/index.ts";

const at = { provider: "tester", operation: "spawn", effect: "unknown" } as const;
const error = (fault: CommandFault, started: boolean): CommandError =>
  new CommandError({ fault, reason: "what happened", command: ["orbctl", "create"], started, durationMs: 5 });

describe("commandFailure", () => {
  it.each([
    ["notFound", "UNAVAILABLE"],
    ["notExecutable", "UNAVAILABLE"],
    ["badWorkingDirectory", "UNAVAILABLE"],
    ["notStarted", "UNAVAILABLE"],
    ["invalid", "INTERNAL"],
    ["timedOut", "TIMEOUT"],
    ["cancelled", "CANCELLED"],
    ["outputTooLarge", "INTERNAL"],
  ] as const)("makes %s a %s", (fault, code) => {
    expect(commandFailure(error(fault, true), at)).toMatchObject({ code, provider: "tester", operation: "spawn" });
  });

  it("says how to get a program that is missing", async () => {
    const cause: unknown = await commandRunner()("no-such-program", []).catch((reason: unknown) => reason);
    const failure = commandFailure(cause, at);
    expect(failure).toMatchObject({ code: "UNAVAILABLE", effect: "none", native: { code: "ENOENT" } });
    expect(failure.message).toBe("no-such-program: there is no such program");
    expect(failure.hint).toBe("Install no-such-program, or put it on the PATH.");
    expect(commandFailure(cause, { ...at, hint: "brew install it" }).hint).toBe("brew install it");
  });

  it("tells an argument that no machine would take from one that this machine has no space for", () => {
    const details = { fault: "notStarted", reason: "no", command: ["orbctl"], started: false, durationMs: 5 } as const;
    const tooLong = commandFailure(new CommandError({ ...details, systemCode: "E2BIG" }), at);
    expect(tooLong).toMatchObject({ code: "INVALID_SPEC", effect: "none", hint: expect.stringContaining("stdin") });
    expect(commandFailure(new CommandError({ ...details, systemCode: "EAGAIN" }), at).code).toBe("UNAVAILABLE");
  });

  it.each([
    ["unknown", true, "unknown"],
    ["unknown", false, "none"],
    ["applied", true, "applied"],
    ["applied", false, "applied"],
    ["none", true, "none"],
  ] as const)("turns effect %s, started %s into %s", (effect, started, expected) => {
    expect(commandFailure(error("cancelled", started), { ...at, effect }).effect).toBe(expected);
  });

  it("leaves a ProviderError alone, and shows nothing of an error that it does not know", () => {
    const known = new ProviderError("BUSY", { message: "later", ...at });
    expect(commandFailure(known, at)).toBe(known);
    const unknown = commandFailure(new RangeError("holds a secret"), at);
    expect(unknown).toMatchObject({ code: "INTERNAL", effect: "unknown" });
    expect(JSON.stringify(unknown)).not.toContain("secret");
  });
});
