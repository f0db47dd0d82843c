import type { ErrorCode, ErrorEffect } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { appleContainerClient } from "../src/client.ts";
import { appleContainer, appleContainerErrorTable } from "../src/index.ts";
import { answeringExec } from "./answering-exec.ts";
import { failure } from "./failure.ts";
import { fixtures } from "./fixtures.ts";

type Row = readonly [fixture: string, code: ErrorCode, effect: ErrorEffect];

// What a caller has to be told of each text, by hand.
const EXPECTED: readonly Row[] = [
  ["service-interrupted", "UNAVAILABLE", "unknown"],
  ["service-down", "UNAVAILABLE", "none"],
  ["name-taken", "CONFLICT", "none"],
  ["port-in-use", "CONFLICT", "none"],
  ["port-forbidden", "INVALID_SPEC", "none"],
  ["ports-overlap", "INVALID_SPEC", "none"],
  ["kernel-missing", "UNAVAILABLE", "none"],
  ["memory-too-small", "INVALID_SPEC", "none"],
  ["bad-label", "INVALID_SPEC", "none"],
  ["networks-need-macos-26", "UNSUPPORTED", "none"],
  ["network-missing", "INVALID_SPEC", "none"],
  ["nested-virtualization", "UNSUPPORTED", "none"],
  ["volume-exists", "CONFLICT", "none"],
  ["volume-in-use", "INVALID_STATE", "none"],
  ["platform-missing", "INVALID_SPEC", "none"],
  ["bad-image-reference", "INVALID_SPEC", "none"],
  ["image-not-found", "INVALID_SPEC", "none"],
  ["executable-missing", "INVALID_SPEC", "none"],
  ["bad-argument", "INVALID_SPEC", "none"],
  ["boot-failed", "UNAVAILABLE", "unknown"],
  ["still-running", "INVALID_STATE", "none"],
  ["not-running", "INVALID_STATE", "none"],
  ["container-not-found", "NOT_FOUND", "none"],
  ["plugin-missing", "UNSUPPORTED", "none"],
  ["usage", "UNSUPPORTED", "none"],
  ["unknown-words", "INTERNAL", "unknown"],
];

const call = { operation: "spawn" } as const;
const run = { name: "slip-a", image: "alpine", labels: {} };

/** The command of a fixture's verb, at the client. */
function sent(fixture: string): Promise<unknown> {
  const { verb = "" } = fixtures[fixture] ?? {};
  const client = appleContainerClient({
    executable: "container",
    exec: answeringExec({
      "image inspect": { stdout: "", stderr: "Error: image not found: x", exitCode: 1 },
      [verb]: fixture,
    }),
  });
  const commands: Readonly<Record<string, () => Promise<unknown>>> = {
    run: () => client.run(call, run),
    delete: () => client.remove(call, "slip-a"),
    exec: () => client.exec(call, "slip-a", ["true"]),
    "image pull": () => client.ensureImage(call, "docker.io/library/nope:latest"),
    "volume create": () => client.createVolume(call, "slip-a", { sizeBytes: 1, labels: {} }),
    "volume delete": () => client.deleteVolume(call, "slip-a"),
    "network list": () => client.networks(call),
  };
  const command = commands[verb];
  if (command === undefined) throw new Error(`nothing runs ${verb}`);
  return command();
}

test.each(EXPECTED)("%s is %s, effect %s", async (fixture, code, effect) => {
  const error = await failure(sent(fixture));
  expect({ row: error.native?.code, code: error.code, effect: error.effect }).toEqual({
    row: fixture === "unknown-words" ? "unknown" : fixture,
    code,
    effect,
  });
});

test("every row of the table is expected here, or is no error", async () => {
  const expected = new Set(EXPECTED.map(([fixture]) => fixture));
  const others = appleContainerErrorTable.map(({ id }) => id).filter((id) => !expected.has(id));
  expect(others).toEqual(["volume-missing"]);
  expect(await sent("volume-missing")).toBeUndefined();
});

describe("texts of other verbs and versions", () => {
  const texts: readonly (readonly [said: string, row: string])[] = [
    ["container already exists: slip-a", "name-taken"],
    ['hostname(s) already exist: ["slip-a"]', "name-taken"],
    ["invalid entity name x", "bad-argument"],
    ["label cannot be an empty string", "bad-label"],
    ["mentions platform linux/s390x", "platform-missing"],
    ["failed to pull image docker.io/library/nope:latest", "image-not-found"],
    ["… failed with response: 404 Not Found. Reason: Unknown", "image-not-found"],
    ["Plugins are unavailable. Start the container system services and retry:", "service-down"],
  ];
  test.each(texts)("%s", async (said, row) => {
    const exec = answeringExec({ run: { stdout: "", stderr: `Error: ${said}\n`, exitCode: 1 } });
    const error = await failure(appleContainerClient({ executable: "container", exec }).run(call, run));
    expect(error.native?.code).toBe(row);
  });
});

test("the command's sentence is the message, without usage, control characters and length", async () => {
  const stderr = `Warning! Running debug build.\nError: ${"a\u001b[31mb".repeat(200)}\nUsage: container run\n`;
  const exec = answeringExec({ run: { stdout: "", stderr, exitCode: 1 } });
  const { message } = await failure(appleContainerClient({ executable: "container", exec }).run(call, run));
  expect(message).toMatch(/^container run: a \[31mb/);
  expect(message).not.toMatch(/\p{Cc}|Usage|Warning/u);
  expect(message.length).toBeLessThan(450);
});

test("a service that is down names the command that starts it", async () => {
  const provider = appleContainer({
    owner: "t",
    variables: {},
    runtime: { exec: answeringExec({ list: "service-down" }) },
  });
  const error = await failure(provider.list());
  expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
  expect(`${error.message} ${error.hint}`).toContain("container system start");
});
