import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitForStatus } from "@slipway/control";
import { ProviderError } from "@slipway/core";
import { type LocalProvider, local } from "@slipway/provider-local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Job, openSession, type Session } from "../src/index.ts";
import { attachJob, incompleteTail } from "../src/job.ts";

let directory: string;
let provider: LocalProvider;
let session: Session;
let id: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-job-"));
  provider = local({ owner: "job", stateDirectory: directory });
  ({ id } = await provider.spawn({ key: "one" }));
  await waitForStatus(provider, id, "running");
  session = await openSession(provider, id);
});
afterAll(async () => {
  await provider.terminate(id);
  await rm(directory, { recursive: true, force: true });
});

async function printed(job: Job, fromByte?: number): Promise<string> {
  let text = "";
  for await (const piece of job.follow({ fromByte })) text += piece.text;
  return text;
}

/** Commands whose `mv` does this in a shell's case, and else what it should. */
async function slowMoves(step: string): Promise<{ readonly environment: { readonly PATH: string } }> {
  const slow = `#!/bin/sh\ncase "$1" in ${step} ;; *) exec /bin/mv "$@" ;; esac\n`;
  const install = 'd=$(mktemp -d "$HOME/tools-XXXXXX") && cat >"$d/mv" && chmod 755 "$d/mv" && printf %s "$d"';
  const { stdout } = await session.exec(["/bin/sh", "-c", install], { stdin: slow });
  return { environment: { PATH: `${stdout}:/usr/bin:/bin` } };
}

describe("a job", () => {
  it("goes on by itself, keeps what it prints and its exit code, and is found again", async () => {
    const script = 'pwd; echo "$WORD"; echo é >&2; sleep 0.2; echo end; exit 7';
    const { id: jobId } = await session.start(["/bin/sh", "-c", script], { cwd: "/usr", environment: { WORD: "a b" } });
    const job = (await openSession(provider, id)).job(jobId);
    expect(await job.result()).toEqual({ exitCode: 7 });
    expect(await printed(job)).toBe("/usr\na b\né\nend\n");
    expect(await printed(job, 9)).toBe("é\nend\n");
  });

  it("is followed over lost connections, each byte once", async () => {
    let execs = 0;
    const shaky: LocalProvider = {
      ...provider,
      exec: async (...call) => {
        execs += 1;
        const result = await provider.exec(...call);
        if (execs % 2 === 1) return result;
        const lost = { message: "lost", provider: "local", operation: "exec", effect: "unknown" } as const;
        throw new ProviderError("NETWORK", lost);
      },
    };
    const job = await (await openSession(shaky, id)).start([
      "/bin/sh",
      "-c",
      "for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done",
    ]);
    expect(await printed(job)).toBe("line 1\nline 2\nline 3\nline 4\nline 5\n");
    expect(execs).toBeGreaterThan(2);
  });

  it.each([
    ["TERM", 143],
    ["INT", 130],
    ["HUP", 129],
    ["KILL", 137],
  ] as const)("is ended as a group by %s, and says so", async (signal, exitCode) => {
    const job = await session.start(["/bin/sh", "-c", "sleep 333 | cat; exit 9"]);
    await job.kill(signal);
    expect(await job.result()).toEqual({ exitCode });
    const left = await session.exec(["/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]);
    expect(left.stdout).not.toContain("sleep 333 ");
    await job.kill();
  });

  it("is ended by a signal that comes right after its start, however slow its machine is", async () => {
    const job = await session.start(["sleep", "334"], await slowMoves('*/pid.new) /bin/mv "$@"; sleep 0.5'));
    await job.kill();
    expect(await job.result()).toEqual({ exitCode: 143 });
  });

  it("keeps its exit code when a second signal comes while that is written", async () => {
    const options = await slowMoves('*/code.new) : >"$0.reached"; sleep 0.5; /bin/mv "$@"');
    const job = await session.start(["sleep", "335"], options);
    await job.kill();
    const wait = 'until [ -e "$(command -v mv).reached" ]; do sleep 0.05; done';
    await session.exec(["/bin/sh", "-c", wait], options);
    await job.kill();
    expect(await job.result()).toEqual({ exitCode: 143 });
  });

  it("gets a signal once", async () => {
    const counting =
      'n=0; trap "n=\\$((n + 1))" TERM; echo up; while [ $n = 0 ]; do sleep 0.1; done; sleep 0.3; exit $n';
    const job = await session.start(["/bin/sh", "-c", counting]);
    for await (const { text } of job.follow()) if (text.includes("up")) await job.kill();
    expect(await job.result()).toEqual({ exitCode: 1 });
  });

  /** A session that may lose the answer of its own commands: `loses` hears how many it has sent. */
  const shakySession = async (loses: (sent: number) => Error | null): Promise<Session> => {
    let sent = 0;
    const exec: LocalProvider["exec"] = async (...call) => {
      const result = await provider.exec(...call);
      sent += 1;
      const loss = loses(sent);
      if (loss !== null) throw loss;
      return result;
    };
    return await openSession({ ...provider, exec }, id);
  };
  const lost = (effect: "none" | "unknown"): Error =>
    new ProviderError("NETWORK", { message: "lost", provider: "local", operation: "exec", effect });
  const appending = (file: string): readonly string[] => ["/bin/sh", "-c", 'echo ran >>"$HOME/$0"; exit 3', file];
  const runsOf = async (file: string): Promise<string> =>
    (await session.exec(["/bin/sh", "-c", 'cat "$HOME/$0"', file])).stdout;

  it("is started once where the answer to its start is lost", async () => {
    const shaky = await shakySession((sent) => (sent < 3 ? lost("unknown") : null));
    const job = await shaky.start(appending("lost-answers"));
    expect(await job.result()).toEqual({ exitCode: 3 });
    expect(await runsOf("lost-answers")).toBe("ran\n");
  });

  it("is not ended where the connection is lost in the middle of its start", async () => {
    const running: Promise<unknown>[] = [];
    const exec: LocalProvider["exec"] = async (instanceId, argv, options = {}) => {
      if (running.length > 0) return await provider.exec(instanceId, argv, options);
      const { stdin, onStderr } = options;
      const said = Promise.withResolvers<void>();
      const heard = (chunk: string): void => {
        onStderr?.(chunk);
        said.resolve();
      };
      running.push(provider.exec(instanceId, argv, { stdin, onStderr: heard }));
      await said.promise;
      throw lost("unknown");
    };
    const away = await openSession({ ...provider, exec }, id);
    const slow = await slowMoves('*/pid.new) sleep 0.5; /bin/mv "$@"');
    const job = await away.start(appending("cut-in-start"), { ...slow, timeoutMs: 60_000 });
    expect(await job.result()).toEqual({ exitCode: 3 });
    expect(await runsOf("cut-in-start")).toBe("ran\n");
    await Promise.all(running);
  });

  it("is not started again where nothing was sent", async () => {
    let sent = 0;
    const shaky = await shakySession((count) => {
      sent = count;
      return lost("none");
    });
    await expect(shaky.start(["true"])).rejects.toMatchObject({ code: "NETWORK", effect: "none" });
    expect(sent).toBe(1);
  });

  it("answers the same job to each start under one id, also to those at once", async () => {
    const jobId = crypto.randomUUID();
    const slow = await slowMoves('*/pid.new) sleep 0.5; /bin/mv "$@"');
    const start = (): Promise<Job> => session.start(appending("at-once"), { ...slow, id: jobId });
    const jobs = await Promise.all([start(), start(), start()]);
    for (const job of [...jobs, await start()]) {
      expect(job.id).toBe(jobId);
      expect(await job.result()).toEqual({ exitCode: 3 });
    }
    expect(await runsOf("at-once")).toBe("ran\n");
    await expect(session.start(["true"], { id: "../x" })).rejects.toMatchObject({ code: "INVALID_SPEC" });
  });

  it.each([
    ["CANCELLED", new DOMException("stop", "AbortError")],
    ["TIMEOUT", new DOMException("late", "TimeoutError")],
  ])("that was started and aborted before that was known is ended: %s", async (code, reason) => {
    const stop = new AbortController();
    const shaky = await shakySession((sent) => {
      if (sent > 1) return null;
      stop.abort(reason);
      return lost("unknown");
    });
    const jobId = crypto.randomUUID();
    const started = shaky.start(["sleep", "336"], { signal: stop.signal, id: jobId });
    await expect(started).rejects.toMatchObject({ code, effect: "unknown", operation: "start" });
    expect(await session.job(jobId).result()).toEqual({ exitCode: 137 });
  });

  it.each(["arrives only after that", "has not said its process id yet"])(
    "whose aborted start %s does not begin",
    async (when) => {
      const [stop, jobId] = [new AbortController(), crypto.randomUUID()];
      const file = `withdrawn-${jobId}`;
      let arrives = async (): Promise<unknown> => undefined;
      let running: Promise<unknown> = Promise.resolve();
      const exec: LocalProvider["exec"] = async (instanceId, argv, options = {}) => {
        if (stop.signal.aborted) return await provider.exec(instanceId, argv, options);
        const { stdin } = options;
        arrives = () => provider.exec(instanceId, argv, { stdin });
        if (when !== "arrives only after that") {
          running = arrives();
          const wait = 'until [ -s "$HOME/.slipway-jobs/$1/pid.new" ]; do sleep 0.05; done';
          await provider.exec(instanceId, ["/bin/sh", "-c", wait, "sh", jobId]);
        }
        stop.abort();
        throw lost("unknown");
      };
      const away = await openSession({ ...provider, exec }, id);
      const slow = await slowMoves('*/pid.new) sleep 1; /bin/mv "$@"');
      const started = away.start(appending(file), { ...slow, signal: stop.signal, id: jobId });
      await expect(started).rejects.toMatchObject({ code: "CANCELLED", effect: "unknown" });
      await running;
      await arrives();
      expect(await session.job(jobId).result()).toEqual({ exitCode: 137 });
      expect(await (await session.start(appending(file), { id: jobId })).result()).toEqual({ exitCode: 137 });
      expect(await printed(session.job(jobId))).toBe("");
      expect(await runsOf(file)).toBe("");
    },
  );

  it("refuses a missing directory, and knows no job that is not there", async () => {
    await expect(session.start(["true"], { cwd: "/missing" })).rejects.toMatchObject({ code: "INVALID_SPEC" });
    await expect(session.job(crypto.randomUUID()).result()).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect(() => session.job("../x")).toThrow("not the id of a job");
  });
});

it.each([
  ["CANCELLED", new DOMException("stop", "AbortError")],
  ["TIMEOUT", new DOMException("late", "TimeoutError")],
])("an abort between two looks is %s, and nobody's fault", async (code, reason) => {
  const stop = new AbortController();
  const sleep = async (_ms: number, signal?: AbortSignal): Promise<void> => {
    stop.abort(reason);
    signal?.throwIfAborted();
  };
  const exec = async () => ({ exitCode: 0, stdout: "running\n", stderr: "" });
  const job = attachJob({ provider: "p", instanceId: "i", clock: { now: () => 0, sleep }, exec }, crypto.randomUUID());
  const expected = { name: "ProviderError", code, effect: "none" };
  await expect(job.result({ signal: stop.signal })).rejects.toMatchObject(expected);
  const following = job.follow({ signal: stop.signal })[Symbol.asyncIterator]();
  await expect(following.next()).rejects.toMatchObject(expected);
});

it.each([
  ["a", 0],
  ["é", 0],
  ["aé€😀", 0],
])("finds no incomplete character in %j, and one in each part of it", (text, none) => {
  const bytes = Buffer.from(text);
  expect(incompleteTail(bytes)).toBe(none);
  for (let length = 0; length <= bytes.length; length += 1) {
    const part = bytes.subarray(0, length);
    const whole = part.subarray(0, length - incompleteTail(part));
    expect(text.startsWith(new TextDecoder("utf-8", { fatal: true }).decode(whole))).toBe(true);
  }
});
