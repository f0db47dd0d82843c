import assert from "node:assert/strict";
import { type ReachCase, type ReachJob, type ReachPlace, shell } from "./fixture.ts";

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
export const jobCases: readonly ReachCase[] = [
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
    id: "job.again",
    title: "a start that is repeated under its id, at once or later, starts nothing more",
    run: async ({ session, there }) => {
      const id = crypto.randomUUID();
      const start = (): Promise<ReachJob> => session.start(shell('echo ran >>"$1/ran"; exit 4', there), { id });
      const jobs = [...(await Promise.all([start(), start()])), await start()];
      for (const job of jobs) {
        assert.equal(job.id, id);
        assert.deepEqual(await job.result(), { exitCode: 4 });
      }
      assert.equal((await session.exec(shell('cat "$1/ran"', there))).stdout, "ran\n");
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
