import { isProviderError } from "@slipway/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type OrbstackEmulator, orbstackEmulator } from "../emulator/index.ts";
import { jsonIn, readAnswer } from "../src/answers.ts";
import { answeredError } from "../src/errors.ts";
import { canonicalImage, parseImage } from "../src/images.ts";
import { orbstack } from "../src/index.ts";
import { infoAnswer, listAnswer } from "../src/wire.ts";

const WORDS = [
  ...["create", "delete", "list", "info", "start", "stop", "restart", "clone", "rename", "config", "default", "status"],
  ...["run", "push", "pull", "logs", "version", "add", "new", "exec"],
  ...["-f", "--force", "--format", "json", "-m", "-u", "root", "--isolated", "--cpus", "2", "--memory", "1G", "--"],
  ...["ubuntu", "debian:12", "a", "b", "", "machine.a.cpu", "get", "set", "-a", "--all", "--help"],
];
const argv = fc.array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...WORDS) }, fc.string()), { maxLength: 6 });

// These would copy files of this host, or run what was made up on it.
const TOUCHES_HOST: ReadonlySet<string> = new Set(["push", "pull", "export", "import", "run", "exec", "shell"]);

async function withEmulator(work: (emulator: OrbstackEmulator) => Promise<void>): Promise<void> {
  const emulator = orbstackEmulator();
  try {
    await work(emulator);
  } finally {
    await emulator.close();
  }
}

test("whatever orbctl is called with, it answers: with stdout and 0, or with stderr and no stdout", async () => {
  const calls = fc.array(argv, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(calls, (all) =>
      withEmulator(async (emulator) => {
        for (const call of all) {
          if (TOUCHES_HOST.has(call[0] ?? "")) continue;
          const { code, stdout, stderr } = await emulator.orbctl(call);
          if (code === 0 || call[0] === "status") continue;
          expect([call, stdout, stderr.endsWith("\n")]).toEqual([call, "", true]);
        }
        const machines = await emulator.control.machines();
        expect(new Set(machines.map(({ name }) => name)).size).toBe(machines.length);
        expect(new Set(machines.map(({ nativeId }) => nativeId)).size).toBe(machines.length);
      }),
    ),
    { numRuns: 150 },
  );
});

test("whatever orbctl prints, a provider answers or rejects with a ProviderError", async () => {
  const answer = fc.record({
    exitCode: fc.constantFrom(0, 0, 0, 1, 2, 7),
    signal: fc.constant(null),
    stdout: fc.oneof(fc.string(), fc.json(), fc.constantFrom("[]", "null", "Running\n", "[{}]", '{"record":{}}')),
    stderr: fc.oneof(fc.string(), fc.constantFrom("[-32098] x\n", "[-32098] machine not found: 'a'\n")),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 6 }), fc.nat(), async (answers, at) => {
      let asked = 0;
      const provider = orbstack({
        owner: "t",
        variables: { HOME: "/h" },
        runtime: {
          clock: { now: () => 0, sleep: async () => undefined },
          exec: async (_file, args) => {
            if (args[0] === "version") return { exitCode: 0, signal: null, stdout: "Version: 2.2.3 (1)\n", stderr: "" };
            asked += 1;
            // Without an end a machine could be on its way for ever.
            return asked > 40
              ? { exitCode: 9, signal: null, stdout: "", stderr: "" }
              : (answers[asked % answers.length] ?? raise());
          },
        },
      });
      const id = "01KHVDCW7HTAGRPMB823KADP9B";
      const calls = [
        () => provider.list(),
        () => provider.get(id),
        () => provider.terminate(id),
        () => provider.spawn({ key: "a" }),
        () => provider.listSnapshots(),
        () => provider.exec(id, ["true"]),
      ];
      await calls[at % calls.length]?.().catch((error: unknown) => {
        expect(isProviderError(error) ? "ProviderError" : error).toBe("ProviderError");
      });
    }),
    { numRuns: 400 },
  );
});

function raise(): never {
  throw new Error("there is no answer");
}

test("no text is too odd to be read or refused", () => {
  const call = { operation: "list" } as const;
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      jsonIn(text);
      const reads = [
        () => readAnswer(text, listAnswer, "list", call),
        () => readAnswer(text, infoAnswer, "info", call),
      ];
      for (const read of reads) {
        try {
          read();
        } catch (error) {
          expect(isProviderError(error)).toBe(true);
        }
      }
      const { message } = answeredError(
        { verb: "create", exitCode: 1, stderr: text },
        { operation: "spawn", writes: true },
      );
      expect(message).not.toMatch(/[\n\u0000]/);
      const image = parseImage(text);
      if (image !== null) expect(parseImage(canonicalImage(image))).not.toBeNull();
    }),
  );
});

test("a tag around which anything was printed is found, as long as it stands on lines of its own", () => {
  const lines = fc.array(
    fc.string().filter((line) => !/[\n\r[{}\]]/.test(line) && !/^\s*null\s*$/.test(line) && parsesNot(line)),
  );
  fc.assert(
    fc.property(lines, fc.array(fc.jsonValue(), { maxLength: 3 }), lines, (before, value, after) => {
      const text = [...before, JSON.stringify(value, null, 1), ...after].join("\n");
      expect(jsonIn(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

function parsesNot(line: string): boolean {
  try {
    JSON.parse(line);
    return false;
  } catch {
    return true;
  }
}
