import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type ReachCase, type ReachSession, shell } from "./fixture.ts";

/** How commands end, by the code that their caller must see. */
const ENDS: readonly (readonly [number, string])[] = [
  [0, "exit 0"],
  [3, "exit 3"],
  // What ssh also says of a lost connection.
  [255, "exit 255"],
  [137, "kill -s KILL $$"],
];

const exitCases: readonly ReachCase[] = ENDS.map(([code, script]) => ({
  id: `exec.exit-${code}`,
  title: `a command that ends with ${script} has the exit code ${code}, and what it printed before is there`,
  run: async ({ session }) => {
    const result = await session.exec(shell(`echo out; echo err >&2; ${script}`));
    assert.deepEqual(result, { exitCode: code, stdout: "out\n", stderr: "err\n" });
  },
}));

/** What a session promises of one command. */
export const commandCases: readonly ReachCase[] = [
  ...exitCases,
  {
    id: "exec.words",
    title: "every word of a command arrives as it is; no shell reads it",
    run: async ({ session }) => {
      const words = ["a b", "$HOME", "`id`", "'", '"', "\\", "*", "", "-n", "é", "two\nlines", ";false"];
      const { stdout } = await session.exec(shell(String.raw`printf '<%s>' "$@"`, ...words));
      assert.equal(stdout, words.map((word) => `<${word}>`).join(""));
    },
  },
  {
    id: "exec.settings",
    title: "a command runs in its directory with its environment, and no value stands in an argument list",
    run: async ({ session, there }) => {
      const value = `it's $HOME ${randomBytes(12).toString("hex")}`;
      const script = 'pwd; echo "$SLIPWAY_CASE"; cat; cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; exit 0';
      const { stdout } = await session.exec(shell(script), {
        cwd: there,
        environment: { SLIPWAY_CASE: value },
        stdin: "the input\n",
      });
      assert.ok(stdout.startsWith(`${there}\n${value}\nthe input\n`), stdout.slice(0, 300));
      assert.equal(stdout.split(value).length, 2, "the value stands in an argument list");
    },
  },
  {
    id: "exec.binary",
    title: "a megabyte of any bytes arrives as a command's input",
    run: async ({ session, there }) => {
      const bytes = randomBytes(1_000_000);
      const { exitCode } = await session.exec(shell('cat >"$1"', `${there}/bytes`), { stdin: bytes });
      assert.equal(exitCode, 0);
      const { stdout } = await session.exec(shell('base64 <"$1"', `${there}/bytes`));
      assert.ok(bytes.equals(Buffer.from(stdout, "base64")), "other bytes arrived");
    },
  },
  {
    id: "exec.hostile-output",
    title: "escape sequences and made-up endings in the output are output, and change no exit code",
    run: async ({ session }) => {
      const forged = [
        "\u001b]0;title\u0007\u001b[2J",
        `${crypto.randomUUID()}:began:1`,
        `${crypto.randomUUID()}:ended:0`,
        "exit 0",
        "",
        "\r\u0000.",
      ].join("\n");
      const octal = [...Buffer.from(forged)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
      const result = await session.exec(shell('printf "$1"; printf "$1" >&2; exit 9', octal));
      assert.deepEqual(result, { exitCode: 9, stdout: forged, stderr: forged });
    },
  },
  {
    id: "exec.at-once",
    title: "of twenty commands at once each has its own exit code and its own output",
    run: async ({ session }) => {
      const numbers = Array.from({ length: 20 }, (_, at) => at);
      const results = await Promise.all(numbers.map((at) => session.exec(shell(`echo out ${at}; exit ${at}`))));
      assert.deepEqual(
        results,
        numbers.map((at) => ({ exitCode: at, stdout: `out ${at}\n`, stderr: "" })),
      );
    },
  },
  {
    id: "exec.abort",
    title: "an aborted command leaves no process behind, also none of those that it started",
    run: async ({ session }) => {
      // A sleep that nobody else sleeps.
      const [first, second] = [uniqueSeconds(), uniqueSeconds()];
      const stop = new AbortController();
      const running = session.exec(shell(`sleep ${first} & echo up; sleep ${second}`), {
        signal: stop.signal,
        onStdout: () => stop.abort(),
      });
      await assert.rejects(running);
      await untilGone(session, [first, second]);
    },
  },
  {
    id: "exec.abort-early",
    title: "a command that is aborted while it is on its way leaves no process behind, and none begins later",
    run: async ({ session }) => {
      const sleeps = Array.from({ length: 6 }, uniqueSeconds);
      await Promise.all(
        sleeps.map(async (seconds, at) => {
          const stop = new AbortController();
          // When another that was sent at the same time has ended, this one begins; a third of them end before they are sent.
          const other = at % 3 === 0 ? undefined : session.exec(["true"]);
          const running = assert.rejects(session.exec(["sleep", seconds], { signal: stop.signal }));
          await other;
          stop.abort();
          await running;
        }),
      );
      for (let looks = 0; looks < 5; looks += 1) await untilGone(session, sleeps);
    },
  },
];

async function untilGone(session: ReachSession, sleeps: readonly string[]): Promise<void> {
  const argument = new RegExp(`sleep (${sleeps.join("|")}) `);
  for (let looks = 0; argument.test(await commandLines(session)); looks += 1) {
    assert.ok(looks < 50, "the aborted command still runs");
  }
}

function uniqueSeconds(): string {
  return String(4_000_000 + (randomBytes(4).readUInt32BE() % 5_000_000));
}

async function commandLines(session: ReachSession): Promise<string> {
  // The look waits a little, so fifty of them are a deadline.
  const { stdout } = await session.exec(
    shell('sleep 0.2; cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; exit 0'),
  );
  return stdout;
}
