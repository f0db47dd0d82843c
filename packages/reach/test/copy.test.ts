import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { waitForStatus } from "@slipway/control";
import { ProviderError, systemClock } from "@slipway/core";
import { type CommandInput, runCommand, type StreamingExec } from "@slipway/provider-kit/command";
import { type LocalProvider, local } from "@slipway/provider-local";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { download } from "../src/copy.ts";
import type { JobHost } from "../src/job.ts";
import { openSession } from "../src/open-session.ts";
import type { Session, SessionResult } from "../src/session.ts";
import { openSshSession } from "../src/ssh-session.ts";
import { upload } from "../src/upload.ts";
import { missing, type Sshd, startSshd } from "./sshd.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-copy-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
});

const HOSTILE_NAMES = ["it's $(a) name", "-rf", "new\nline", "é 漢", "*"];

/** A directory with all that a project may have. Its large file does not fit into one part. */
async function project(): Promise<{ readonly at: string; readonly large: Buffer }> {
  const at = join(directory, "project");
  await mkdir(join(at, "deep", "empty"), { recursive: true });
  const large = randomBytes(5 * 1024 * 1024);
  await writeFile(join(at, "deep", "large"), large);
  await writeFile(join(at, "none"), "");
  await writeFile(join(at, "run.sh"), "#!/bin/sh\n");
  await chmod(join(at, "run.sh"), 0o755);
  for (const name of HOSTILE_NAMES) await writeFile(join(at, name), name);
  await symlink("deep/large", join(at, "link"));
  return { at, large };
}

/** `ran` has all that was run so far. */
function behaves(open: () => Session, ran: readonly string[]): void {
  it("a directory may itself be named with blanks, quotes and line ends, here and there", async () => {
    const session = open();
    const name = "a b 'c' \"d\"\n$(e) f\n";
    const at = join(directory, name);
    await mkdir(join(at, name), { recursive: true });
    await writeFile(join(at, name, name), name);
    // Inside a directory a backslash is refused at the way back, since it leads out on Windows.
    const there = `work-${crypto.randomUUID()}/${name}\\f`;
    await session.upload(at, there);
    const back = join(directory, "back", name);
    await session.download(there, back);
    expect(await readdir(join(directory, "back"))).toEqual([name]);
    expect(await readFile(join(back, name, name), "utf8")).toBe(name);
  });

  it("a directory comes back as it went", async () => {
    const { at, large } = await project();
    const back = join(directory, "back");
    const session = open();
    const name = `work-${crypto.randomUUID()}/a b`;
    await session.upload(at, name);
    await session.download(name, back);
    expect((await readdir(back)).sort()).toEqual((await readdir(at)).sort());
    expect((await readFile(join(back, "deep", "large"))).equals(large)).toBe(true);
    expect(await readdir(join(back, "deep", "empty"))).toEqual([]);
    expect((await stat(join(back, "run.sh"))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(back, "none"), "utf8")).toBe("");
    for (const hostile of HOSTILE_NAMES) expect(await readFile(join(back, hostile), "utf8")).toBe(hostile);
    expect(await readlink(join(back, "link"))).toBe("deep/large");
    await session.exec(["/bin/sh", "-c", 'rm -rf "${1%/*}"', "sh", name]);
    expect(ran.join(" ")).toContain(".slipway-copy-");
    // Others may copy to this home meanwhile.
    for (const [id] of ran.join(" ").matchAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)) {
      await expect(stat(join(userInfo().homedir, `.slipway-copy-${id}`))).rejects.toThrow("ENOENT");
    }
  });

  it("a file becomes the file that was named, on both sides", async () => {
    const session = open();
    const from = join(directory, "from");
    await writeFile(from, "text");
    const name = `.${crypto.randomUUID()}`;
    await session.upload(from, `${name}/to`);
    await session.download(`${name}/to`, join(directory, "a", "b"));
    expect(await readFile(join(directory, "a", "b"), "utf8")).toBe("text");
    // What a link leads to, since the link itself would lead nowhere here.
    await session.exec(["ln", "-s", "to", `${name}/link`]);
    await session.download(`${name}/link`, join(directory, "a", "linked"));
    expect(await readFile(join(directory, "a", "linked"), "utf8")).toBe("text");
    // Into a directory that is there, under its own name.
    await session.upload(from, name);
    await session.upload(from, `${name}/new/`);
    await session.download(`${name}/from`, join(directory, "a"));
    expect(await readFile(join(directory, "a", "from"), "utf8")).toBe("text");
    const found = await session.exec(["find", name, "-type", "f"]);
    expect(found.stdout.trim().split("\n").sort()).toEqual([`${name}/from`, `${name}/new/from`, `${name}/to`]);
    await session.exec(["rm", "-rf", name]);
  });

  it("what is not there is said, on both sides", async () => {
    const session = open();
    const to = join(directory, "to");
    expect(await session.download("no-such", to).catch((error: unknown) => error)).toMatchObject({ code: "NOT_FOUND" });
    await expect(lstat(to)).rejects.toThrow("ENOENT");
    await expect(session.upload(join(directory, "no-such"), "x")).rejects.toMatchObject({ code: "INVALID_SPEC" });
    await expect(session.upload(directory, "/proc/no-such")).rejects.toMatchObject({ code: "INVALID_STATE" });
  });
}

describe("copies over a provider's own exec", () => {
  let state: string;
  let provider: LocalProvider;
  let session: Session;
  let id: string;
  const ran: string[] = [];
  beforeAll(async () => {
    state = await mkdtemp(join(tmpdir(), "slipway-copy-"));
    provider = local({ owner: "reach", stateDirectory: state });
    ({ id } = await provider.spawn({ key: "one" }));
    await waitForStatus(provider, id, "running");
    const exec: LocalProvider["exec"] = (at, argv, options) => {
      ran.push(argv.join(" "));
      return provider.exec(at, argv, options);
    };
    session = await openSession({ ...provider, exec }, id);
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await provider.terminate(id);
    await rm(state, { recursive: true, force: true });
  });

  behaves(() => session, ran);
});

describe.skipIf(missing !== null)("copies over OpenSSH", () => {
  let sshd: Sshd;
  let session: Session;
  const ran: string[] = [];
  beforeAll(async () => {
    sshd = await startSshd();
    const { endpoint, identityFile } = sshd;
    const exec: StreamingExec = (file, args, options) => {
      ran.push(args.join(" "));
      return runCommand(file, args, options);
    };
    session = await openSshSession("cloud", "i-1", endpoint, { identityFile, runtime: { exec, stream: exec } });
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await sshd.close();
  });

  behaves(() => session, ran);
});

describe("a download of what is being written", () => {
  /** A shell of this machine, with another HOME, and with a tar that packs all and then says what it is told. */
  async function hostWhere(code: number, says: readonly string[]) {
    const programs = join(directory, "programs");
    await mkdir(programs);
    const script = ['PATH="${PATH#*:}"; tar "$@" || exit', ...says.map((line) => `echo '${line}' >&2`), `exit ${code}`];
    await writeFile(join(programs, "tar"), `#!/bin/sh\n${script.join("\n")}\n`, { mode: 0o755 });
    await writeFile(join(directory, "log"), "all that was there\n");
    const env = { ...process.env, HOME: directory, PATH: `${programs}:${process.env["PATH"]}` };
    const exec: Session["exec"] = ([file = "", ...args]) =>
      new Promise((resolve) => {
        execFile(file, args, { env }, (error, stdout, stderr) => {
          resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
        });
      });
    return { provider: "p", instanceId: "i", clock: systemClock, exec };
  }
  const CHANGED = "tar: ./log: file changed as we read it";
  const from = () => join(directory, "log");
  const to = () => join(directory, "back");

  it("brings what was there, as of a log that grows", async () => {
    await download(await hostWhere(1, [CHANGED, "tar: ./a: File removed before we read it"]), from(), to());
    expect(await readFile(to(), "utf8")).toBe("all that was there\n");
  });

  it.each<[string, number, readonly string[]]>([
    ["tar says more than that", 1, [CHANGED, "tar: ./x: Cannot open: Permission denied"]],
    ["tar has failed for good", 2, [CHANGED]],
    ["tar does not say why", 1, []],
  ])("fails where %s", async (_what, code, says) => {
    await expect(download(await hostWhere(code, says), from(), to())).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: expect.stringContaining(`exit code ${code}`),
    });
  });
});

/** Runs commands on this machine, with a home of their own. */
async function ownHome() {
  const [home, programs] = [join(directory, "home"), join(directory, "programs")];
  await mkdir(home);
  await mkdir(programs, { recursive: true });
  const env = { ...process.env, HOME: home, PATH: `${programs}:${process.env["PATH"]}` };
  const run = ([file = "", ...args]: readonly string[], stdin: string | Uint8Array = ""): Promise<SessionResult> =>
    new Promise((resolve) => {
      const child = execFile(
        file,
        args,
        { cwd: home, env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
        (error, stdout, stderr) => resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(stdin);
    });
  const clock = { ...systemClock, sleep: async () => undefined };
  const exec: Session["exec"] = (argv, { stdin } = {}) => run(argv, stdin);
  const send: JobHost["send"] = async (argv, input) => await run(argv, await bytesOf(input));
  return { home, programs, run, host: { provider: "p", instanceId: "i", clock, exec, send } };
}

async function bytesOf(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of input) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("copies on a machine of their own", () => {
  it("at the same time take nothing from one another", async () => {
    const { home, host } = await ownHome();
    const from = join(directory, "from");
    await writeFile(from, "text");
    await Promise.all(Array.from({ length: 20 }, (_, at) => upload(host, from, `to-${at}`)));
    expect((await readdir(home)).filter((name) => !name.startsWith("to-"))).toEqual([]);
  });

  it.each(["one stream", "parts"])("in %s do not put a file into a directory that has its name", async (way) => {
    const { home, host } = await ownHome();
    const from = join(directory, "from");
    await writeFile(from, "text");
    await mkdir(join(home, "there", "from"), { recursive: true });
    const { send: _send, ...inParts } = host;
    for (const to of ["there", "there/"]) {
      await expect(upload(way === "parts" ? inParts : host, from, to)).rejects.toMatchObject({
        code: "INVALID_STATE",
        message: expect.stringMatching(/there\/+from is a directory/),
      });
    }
    expect(await readdir(join(home, "there", "from"))).toEqual([]);
  });

  it.each(["a file", "a directory"])(
    "a stream of %s that was lost and arrived all the same harms no other try",
    async (kind) => {
      const { home, run, host } = await ownHome();
      const { at, large } = await project();
      const from = kind === "a file" ? join(at, "deep", "large") : at;
      const lost = new ProviderError("NETWORK", {
        message: "lost",
        provider: "p",
        operation: "exec",
        effect: "unknown",
      });
      let late: (() => Promise<unknown>) | undefined;
      const send: JobHost["send"] = async (argv, input) => {
        const sent = await bytesOf(input);
        late = () => run(argv, sent);
        throw lost;
      };
      const exec: Session["exec"] = async (argv, { stdin } = {}) => {
        const result = await run(argv, stdin);
        // Its command comes to its end when the first part has been sent again.
        if (stdin !== undefined) await late?.();
        if (stdin !== undefined) late = undefined;
        return result;
      };
      await upload({ ...host, exec, send }, from, "to");
      const to = kind === "a file" ? join(home, "to") : join(home, "to", "deep", "large");
      expect((await readFile(to)).equals(large)).toBe(true);
      expect((await readdir(home)).sort()).toEqual(["to"]);
    },
  );
});

describe("a step whose answer was lost, and which goes on beside the next try,", () => {
  const lost = new ProviderError("NETWORK", { message: "lost", provider: "p", operation: "exec", effect: "unknown" });

  it("takes nothing from it when it is an upload's last", async () => {
    const { home, programs, run, host } = await ownHome();
    const from = join(directory, "from");
    await writeFile(from, randomBytes(1000));
    await run(["mkfifo", "held", "gate", "done"]);
    // The first one ends between the second one's unpacking and its next command.
    const script = [
      ...["#!/bin/sh", 'PATH="${PATH#*:}"; tar "$@" || exit', 'if mkdir "$HOME/first" 2>/dev/null; then'],
      'echo >"$HOME/held"; cat "$HOME/gate"; else echo >"$HOME/gate"; cat "$HOME/done"; fi',
    ];
    await writeFile(join(programs, "tar"), `${script.join("\n")}\n`, { mode: 0o755 });
    let isFirst = true;
    const exec: Session["exec"] = async (argv, { stdin } = {}) => {
      if (argv[5] !== "to" || !isFirst) return await run(argv, stdin);
      isFirst = false;
      void run(argv).then(() => run(["/bin/sh", "-c", "echo >done"]));
      await run(["cat", "held"]);
      throw lost;
    };
    const { send: _send, ...inParts } = host;
    await upload({ ...inParts, exec }, from, "to");
    expect((await readFile(join(home, "to"))).equals(await readFile(from))).toBe(true);
  });

  it("changes nothing that is being fetched when it is a download's first", async () => {
    const { home, run, host } = await ownHome();
    const content = randomBytes(5 * 1024 * 1024);
    await writeFile(join(home, "from"), content);
    let late: (() => Promise<unknown>) | undefined;
    const exec: Session["exec"] = async (argv) => {
      if (late === undefined) {
        late = () => run(argv);
        throw lost;
      }
      const result = await run(argv);
      if (argv[5] === "1") {
        await writeFile(join(home, "from"), randomBytes(5 * 1024 * 1024));
        await late();
      }
      return result;
    };
    const to = join(directory, "to");
    await download({ ...host, exec }, "from", to);
    expect((await readFile(to)).equals(content)).toBe(true);
  });
});

it("a lost connection is waited out, and each part arrives once", async () => {
  const { at } = await project();
  const lost = new ProviderError("NETWORK", { message: "lost", provider: "p", operation: "exec", effect: "unknown" });
  const seen: (readonly string[])[] = [];
  let calls = 0;
  const clock = { ...systemClock, sleep: async () => undefined };
  const exec: Session["exec"] = async (argv) => {
    calls += 1;
    if (calls % 2 === 1) throw lost;
    seen.push(argv.slice(5));
    return { exitCode: 0, stdout: "", stderr: "" };
  };
  await upload({ provider: "p", instanceId: "i", clock, exec }, at, "to");
  const bytes = expect.stringMatching(/^\d+$/);
  expect(seen.slice(0, 3)).toEqual([["part-00000000", bytes], ["part-00000001", bytes], ["to"]]);
});

it("what a lost connection leaves of a part takes the place of none", async () => {
  const { at, large } = await project();
  const { home, run } = await ownHome();
  const lost = new ProviderError("NETWORK", { message: "lost", provider: "p", operation: "exec", effect: "unknown" });
  let late: (() => Promise<unknown>) | null = null;
  const clock = { ...systemClock, sleep: async () => undefined };
  const exec: Session["exec"] = async (argv, { stdin } = {}) => {
    if (late === null && stdin instanceof Uint8Array) {
      // Its end comes only after the part was sent again.
      late = () => run(argv, stdin.subarray(0, 1000));
      throw lost;
    }
    const result = await run(argv, stdin);
    await late?.();
    late = async () => undefined;
    return result;
  };
  await upload({ provider: "p", instanceId: "i", clock, exec }, at, "to");
  expect((await readFile(join(home, "to", "deep", "large"))).equals(large)).toBe(true);
});

describe("an upload in one stream", () => {
  const lost = (effect: "none" | "unknown") =>
    new ProviderError("NETWORK", { message: "lost", provider: "p", operation: "exec", effect });
  const clock = { ...systemClock, sleep: async () => undefined };
  const done: SessionResult = { exitCode: 0, stdout: "", stderr: "" };

  it("is sent again from its beginning where nothing ran", async () => {
    const { at } = await project();
    const sent: Buffer[] = [];
    let calls = 0;
    const send: JobHost["send"] = async (_argv, input) => {
      calls += 1;
      if (calls === 1) throw lost("none");
      sent.push(await bytesOf(input));
      return done;
    };
    const exec: Session["exec"] = async (argv, { stdin } = {}) => {
      expect(stdin).toBeUndefined();
      return { ...done, stdout: argv.join("") };
    };
    await upload({ provider: "p", instanceId: "i", clock, exec, send }, at, "to");
    expect(sent).toHaveLength(1);
    // It has random bytes, so it is not compressed.
    expect(sent[0]?.subarray(0, 6).toString()).toBe("plain\n");
  });

  it("goes on in parts where it was lost on its way", async () => {
    const { at } = await project();
    let calls = 0;
    const send: JobHost["send"] = async (_argv, input) => {
      calls += 1;
      for await (const _piece of input) throw lost("unknown");
      return done;
    };
    const names: (string | undefined)[] = [];
    const exec: Session["exec"] = async (argv) => {
      if (argv.length > 5) names.push(argv[5]);
      return done;
    };
    await upload({ provider: "p", instanceId: "i", clock, exec, send }, at, "to");
    expect(calls).toBe(1);
    expect(names.slice(0, 3)).toEqual(["part-00000000", "part-00000001", "to"]);
  });

  it("may have arrived where it was lost and the instance cannot be reached any more", async () => {
    const { at } = await project();
    let now = 0;
    const waiting = { ...clock, now: () => now, sleep: async (ms: number) => void (now += ms) };
    const send: JobHost["send"] = async () => await Promise.reject(lost("unknown"));
    const exec: Session["exec"] = async () => await Promise.reject(lost("none"));
    const uploading = upload({ provider: "p", instanceId: "i", clock: waiting, exec, send }, at, "to");
    await expect(uploading).rejects.toMatchObject({ code: "NETWORK", effect: "unknown" });
  });

  it("says what is compressed and sends less of it", async () => {
    const from = join(directory, "text");
    await writeFile(from, "the same line\n".repeat(100_000));
    let sent: Buffer = Buffer.alloc(0);
    const send: JobHost["send"] = async (_argv, input) => {
      sent = await bytesOf(input);
      return done;
    };
    await upload({ provider: "p", instanceId: "i", clock, exec: async () => done, send }, from, "to");
    expect(sent.subarray(0, 5).toString()).toBe("gzip\n");
    expect(sent.length).toBeLessThan(100_000);
  });
});

describe.skipIf(missing !== null)("an upload over OpenSSH that does not come to its end", () => {
  let sshd: Sshd;
  let session: Session;
  beforeAll(async () => {
    sshd = await startSshd();
    session = await openSshSession("cloud", "i-1", sshd.endpoint, { identityFile: sshd.identityFile });
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await sshd.close();
  });

  it("leaves the target as it was, and nothing of itself, when it is aborted", async () => {
    const big = join(directory, "big");
    await mkdir(big);
    await writeFile(join(big, "f"), randomBytes(64 * 1024 * 1024));
    const target = join(directory, "target");
    await writeFile(target, "as it was");
    const stop = new AbortController();
    // It is aborted while half of it has gone into ssh.
    const lines: string[] = [];
    const stream = watched((bytes) => (bytes > 32 * 1024 * 1024 ? stop.abort() : null), lines);
    const { endpoint, identityFile } = sshd;
    await using aborted = await openSshSession("cloud", "i-1", endpoint, { identityFile, runtime: { stream } });
    const uploading = aborted.upload(big, target, { signal: stop.signal });
    await expect(uploading).rejects.toMatchObject({ code: "CANCELLED", effect: "unknown" });
    expect(await readFile(target, "utf8")).toBe("as it was");
    await expectNothingLeft(lines);
  });

  it("says why where the file cannot be read to its end", async () => {
    const shrinks = join(directory, "shrinks");
    await writeFile(shrinks, randomBytes(16 * 1024 * 1024).toString("hex"));
    const target = join(directory, "target");
    const { endpoint, identityFile } = sshd;
    // Not with the settings, which go before the file is opened.
    const stream = watched(async (bytes) => (bytes > 1000 ? await truncate(shrinks, 1000) : null));
    await using cut = await openSshSession("cloud", "i-1", endpoint, { identityFile, runtime: { stream } });
    await expect(cut.upload(shrinks, target)).rejects.toMatchObject({ code: "INVALID_STATE" });
    await expect(stat(target)).rejects.toThrow("ENOENT");
  });

  it.each(["a file", "a directory"])("leaves the target as it was where the stream of %s ends early", async (kind) => {
    const from = kind === "a file" ? join(directory, "f") : join(directory, "d", "f");
    await mkdir(join(directory, "d"));
    await writeFile(from, randomBytes(8 * 1024 * 1024).toString("hex"));
    const target = join(directory, "target");
    const lines: string[] = [];
    // As the system does for a client that is killed.
    const stream: StreamingExec = (file, args, options = {}) => {
      if (!isStream(options.stdin)) return runCommand(file, args, options);
      lines.push(args.at(-1) ?? "");
      return runCommand(file, args, { ...options, stdin: allButTheEnd(options.stdin) });
    };
    const { endpoint, identityFile } = sshd;
    await using cut = await openSshSession("cloud", "i-1", endpoint, { identityFile, runtime: { stream } });
    const uploading = cut.upload(kind === "a file" ? from : join(directory, "d"), target);
    await expect(uploading).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: expect.stringMatching(/cut short|Unexpected EOF/),
    });
    await expect(stat(target)).rejects.toThrow("ENOENT");
    await expectNothingLeft(lines);
  });
});

describe("a large file that cannot be compressed, which the program reads itself,", () => {
  const lost = (effect: "none" | "unknown") =>
    new ProviderError("NETWORK", { message: "lost", provider: "p", operation: "exec", effect });

  async function hostOfFiles() {
    const { home, run, host } = await ownHome();
    const from = join(directory, "it's large");
    const content = randomBytes(5 * 1024 * 1024);
    await writeFile(from, content);
    await chmod(from, 0o751);
    await utimes(from, 1_700_000_001, 1_700_000_001);
    const sendFile: JobHost["sendFile"] = async (argv, { fd }) => await run(argv, readFileSync(fd));
    const expectWhole = async (name: string): Promise<void> => {
      expect((await readFile(join(home, name))).equals(content)).toBe(true);
      const { mode, mtimeMs } = await stat(join(home, name));
      expect([mode & 0o777, mtimeMs]).toEqual([0o751, 1_700_000_001_000]);
      expect((await readdir(home)).filter((entry) => entry.startsWith("."))).toEqual([]);
    };
    return { home, from, host, sendFile, expectWhole };
  }

  it("arrives as it is, with its mode and its time", async () => {
    const { home, from, host, sendFile, expectWhole } = await hostOfFiles();
    const send: JobHost["send"] = async () => await Promise.reject(new Error("it was sent as a stream"));
    await upload({ ...host, send, sendFile }, from, "-a b");
    await expectWhole("-a b");
    await mkdir(join(home, "there"));
    await upload({ ...host, send, sendFile }, from, "there");
    await expectWhole("there/it's large");
  });

  it("is sent again from its beginning where nothing ran", async () => {
    const { from, host, sendFile, expectWhole } = await hostOfFiles();
    let calls = 0;
    const second: JobHost["sendFile"] = async (argv, file, signal) => {
      calls += 1;
      if (calls > 1) return await sendFile(argv, file, signal);
      readFileSync(file.fd);
      throw lost("none");
    };
    await upload({ ...host, sendFile: second }, from, "to");
    expect(calls).toBe(2);
    await expectWhole("to");
  });

  it("goes on in parts where it was lost on its way", async () => {
    const { from, host, expectWhole } = await hostOfFiles();
    await upload({ ...host, sendFile: async () => await Promise.reject(lost("unknown")) }, from, "to");
    await expectWhole("to");
  });

  it("leaves the target as it was where not all of it arrives", async () => {
    const { home, from, host, sendFile } = await hostOfFiles();
    await writeFile(join(home, "to"), "as it was");
    const cut: JobHost["sendFile"] = async (argv, file, signal) => {
      await truncate(from, 1_000_000);
      return await sendFile(argv, file, signal);
    };
    await expect(upload({ ...host, sendFile: cut }, from, "to")).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: expect.stringContaining("cut short"),
    });
    expect(await readFile(join(home, "to"), "utf8")).toBe("as it was");
    expect(await readdir(home)).toEqual(["to"]);
  });
});

describe.skipIf(missing !== null)("a large file over OpenSSH that cannot be compressed", () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(async () => await sshd.close());

  async function openWith(stream: StreamingExec): Promise<Session & AsyncDisposable> {
    const { endpoint, identityFile } = sshd;
    return await openSshSession("cloud", "i-1", endpoint, { identityFile, runtime: { stream } });
  }

  it("is read by ssh itself", async () => {
    const [from, target] = [join(directory, "from"), join(directory, "target")];
    const content = randomBytes(5 * 1024 * 1024);
    await writeFile(from, content);
    const inputs: unknown[] = [];
    await using session = await openWith((file, args, options = {}) => {
      inputs.push(options.stdin);
      return runCommand(file, args, options);
    });
    await session.upload(from, target);
    expect(inputs).toEqual([expect.objectContaining({ fd: expect.any(Number) })]);
    expect((await readFile(target)).equals(content)).toBe(true);
  });

  it("leaves the target as it was, and nothing of itself, when it is aborted on its way", async () => {
    const [from, target] = [join(directory, "from"), join(directory, "target")];
    await writeFile(from, randomBytes(2 * 1024 * 1024));
    await truncate(from, 2 ** 30);
    await writeFile(target, "as it was");
    const stop = new AbortController();
    const lines: string[] = [];
    await using session = await openWith(async (file, args, options = {}) => {
      lines.push(args.at(-1) ?? "");
      const running = runCommand(file, args, options);
      const own = join(userInfo().homedir, `.slipway-copy-${idsOf(lines)[0]}`);
      // Some of it is there.
      while ((await sizeBelow(own)) < 1_000_000) await new Promise((resolve) => setImmediate(resolve));
      stop.abort();
      return await running;
    });
    const uploading = session.upload(from, target, { signal: stop.signal });
    await expect(uploading).rejects.toMatchObject({ code: "CANCELLED", effect: "unknown" });
    expect(await readFile(target, "utf8")).toBe("as it was");
    await expectNothingLeft(lines);
  });
});

async function sizeBelow(at: string): Promise<number> {
  const names = await readdir(at, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(at, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return Math.max(0, ...sizes);
}

function isStream(stdin: CommandInput | undefined): stdin is AsyncIterable<Uint8Array> {
  return typeof stdin === "object" && Symbol.asyncIterator in stdin;
}

function idsOf(lines: readonly string[]): readonly string[] {
  return lines.map((line) => /'sh' '([0-9a-f-]{36})'/.exec(line)?.[1] ?? "none");
}

/** The directory of each copy has its id as its name. */
async function expectNothingLeft(lines: readonly string[]): Promise<void> {
  const ids = idsOf(lines);
  expect(ids).toHaveLength(1);
  for (const id of ids) await expect(stat(join(userInfo().homedir, `.slipway-copy-${id}`))).rejects.toThrow("ENOENT");
}

/** Runs commands, and says how many bytes of a stream have gone by. */
function watched(onBytes: (bytes: number) => unknown, lines: string[] = []): StreamingExec {
  return (file, args, options = {}) => {
    const { stdin } = options;
    if (!isStream(stdin)) return runCommand(file, args, options);
    lines.push(args.at(-1) ?? "");
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      let bytes = 0;
      for await (const piece of stdin) {
        bytes += piece.length;
        await onBytes(bytes);
        yield piece;
      }
    };
    return runCommand(file, args, { ...options, stdin: pieces() });
  };
}

async function* allButTheEnd(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (last !== undefined) yield last;
    last = piece;
  }
}
