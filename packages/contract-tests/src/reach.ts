import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ReachCase, type ReachJob, type ReachPlace, type ReachSession, shell } from "./reach-cases/fixture.ts";

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
const commandCases: readonly ReachCase[] = [
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

const LINES = Array.from({ length: 6 }, (_, at) => `línea ${at}\n`);

/** Prints a line whenever the file of its number appears, so a case decides when. */
function printing({ session, there }: ReachPlace): Promise<ReachJob> {
  const script =
    'n=0; while [ "$n" -lt 6 ]; do until [ -e "$1/go-$n" ]; do sleep 0.1; done; echo "línea $n"; n=$((n + 1)); done; exit 6';
  return session.start(shell(script, there));
}

async function release({ session, there }: ReachPlace, ...numbers: readonly number[]): Promise<void> {
  await session.exec(shell('d="$1"; shift; for n; do : >"$d/go-$n"; done', there, ...numbers.map(String)));
}

const SIGNALS = [
  ["TERM", 143],
  ["INT", 130],
  ["HUP", 129],
  ["KILL", 137],
] as const;

/** What a session promises of programs that go on without it. */
const jobCases: readonly ReachCase[] = [
  {
    id: "job.follow",
    title: "a job's output is seen while it runs, each byte once, and its exit code after it",
    run: async (place) => {
      const job = await printing(place);
      await release(place, 0);
      let text = "";
      for await (const piece of job.follow()) {
        if (text === "") await release(place, 1, 2, 3, 4, 5);
        text += piece.text;
      }
      assert.equal(text, LINES.join(""));
      assert.deepEqual(await job.result(), { exitCode: 6 });
    },
  },
  {
    id: "job.reopen",
    title: "another session finds the job by its id and goes on from a byte",
    needs: "reopen",
    run: async (place) => {
      const { id } = await printing(place);
      await release(place, 0, 1, 2, 3, 4, 5);
      const job = (await place.reopen()).job(id);
      const before = Buffer.byteLength(LINES.slice(0, 2).join(""));
      let [text, nextByte] = ["", before];
      for await (const piece of job.follow({ fromByte: before })) {
        text += piece.text;
        nextByte = piece.nextByte;
      }
      assert.equal(text, LINES.slice(2).join(""));
      assert.equal(nextByte, Buffer.byteLength(LINES.join("")));
      assert.deepEqual(await job.result(), { exitCode: 6 });
    },
  },
  {
    id: "job.cut",
    title: "a lost connection in the middle of a follow loses no byte and doubles none",
    needs: "cut",
    run: async (place) => {
      const job = await printing(place);
      await release(place, 0);
      let text = "";
      for await (const piece of job.follow()) {
        if (text === "") {
          await release(place, 1, 2, 3, 4, 5);
          await place.cut();
        }
        text += piece.text;
      }
      assert.equal(text, LINES.join(""));
      assert.deepEqual(await job.result(), { exitCode: 6 });
    },
  },
  {
    id: "job.kill",
    title: "a job that is killed ends, and says by which signal",
    run: async ({ session }) => {
      for (const [signal, exitCode] of SIGNALS) {
        const job = await session.start(["sleep", "3600"]);
        await job.kill(signal);
        assert.deepEqual(await job.result(), { exitCode });
      }
    },
  },
  {
    id: "job.signal",
    title: "a job that goes on after a signal got it once",
    run: async ({ session, there }) => {
      // It waits without a sleep, whose end would take a shell's time while two signals in a row count as one.
      const counting =
        'n=0; trap "n=\\$((n + 1))" TERM; : >"$1/up"; while [ "$n" = 0 ]; do :; done; sleep 0.5; exit "$n"';
      const job = await session.start(shell(counting, there));
      await session.exec(shell('until [ -e "$1/up" ]; do sleep 0.1; done', there));
      await job.kill();
      assert.deepEqual(await job.result(), { exitCode: 1 });
    },
  },
];

/** What a session promises of files. */
const copyCases: readonly ReachCase[] = [
  {
    id: "copy.binary",
    title: "a megabyte of any bytes goes to the instance and comes back as it was",
    run: async ({ session, here, there }) => {
      const bytes = randomBytes(1_000_000);
      await writeFile(join(here, "bytes"), bytes);
      await session.upload(join(here, "bytes"), `${there}/made/on the way/bytes`);
      await session.download(`${there}/made/on the way/bytes`, join(here, "back"));
      assert.ok(bytes.equals(await readFile(join(here, "back"))), "other bytes came back");
    },
  },
  {
    id: "copy.tree",
    title: "a directory's content goes into a directory that need not be there, with modes and links",
    run: async ({ session, here, there }) => {
      await mkdir(join(here, "tree", "deep"), { recursive: true });
      await writeFile(join(here, "tree", "deep", "run"), "#!/bin/sh\nexit 5\n", { mode: 0o755 });
      await writeFile(join(here, "tree", "a name\nwith -n 'é'"), "named");
      await symlink("deep/run", join(here, "tree", "link"));
      await session.upload(join(here, "tree"), `${there}/new/target`);
      assert.equal((await session.exec([`${there}/new/target/link`])).exitCode, 5);
      await session.download(`${there}/new/target`, join(here, "back"));
      assert.deepEqual((await readdir(join(here, "back"))).sort(), ["a name\nwith -n 'é'", "deep", "link"]);
      assert.equal((await stat(join(here, "back", "deep", "run"))).mode & 0o111, 0o111);
    },
  },
  {
    id: "copy.hostile",
    title: "a directory on the instance whose links lead out of it writes nothing outside of the target",
    run: async ({ session, here, there }) => {
      await writeFile(join(here, "outside"), "untouched");
      const script = 'cd "$1" && mkdir d && ln -s ../outside d/out && ln -s /etc/passwd d/abs && echo x >d/file';
      assert.equal((await session.exec(shell(script, there))).exitCode, 0);
      await assert.rejects(session.download(`${there}/d`, join(here, "target")));
      assert.equal(await readFile(join(here, "outside"), "utf8"), "untouched");
      const found = await readdir(join(here, "target"), { withFileTypes: true }).catch(() => []);
      assert.deepEqual(
        found.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name),
        [],
      );
      assert.deepEqual(
        (await readdir(here)).filter((name) => name !== "target"),
        ["outside"],
      );
    },
  },
  {
    id: "copy.missing",
    title: "what is not on the instance is no empty file here",
    run: async ({ session, here, there }) => {
      await assert.rejects(session.download(`${there}/no-such-file`, join(here, "back")));
      assert.deepEqual(await readdir(here), []);
    },
  },
];

export {
  type ReachCase,
  type ReachCaseSkip,
  type ReachExecOptions,
  type ReachFixture,
  type ReachHarness,
  type ReachJob,
  type ReachPlace,
  type ReachResult,
  type ReachSession,
  runReachCase,
} from "./reach-cases/fixture.ts";

/** All promises of a session into an instance. */
export const reachCases: readonly ReachCase[] = [...commandCases, ...copyCases, ...jobCases];
