import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { machinesMissing } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const project = fileURLToPath(new URL("../..", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

interface Client {
  readonly child: ChildProcess;
  readonly printed: () => string;
  /** Resolves once this was printed to stdout. */
  readonly until: (text: string) => Promise<void>;
  readonly ended: Promise<Ended>;
}

function watch(child: ChildProcess): Client {
  const stdout: Buffer[] = [];
  let stderr = "";
  const looks = new Set<() => void>();
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    for (const look of looks) look();
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({
    code: code as number | null,
    stdout: Buffer.concat(stdout),
    stderr,
  }));
  const printed = (): string => Buffer.concat(stdout).toString();
  const until = async (text: string): Promise<void> => {
    const seen = Promise.withResolvers<void>();
    const look = (): void => (printed().includes(text) ? seen.resolve() : undefined);
    looks.add(look);
    look();
    const early = ended.then((end) => {
      throw new Error(`ended before it printed ${text}: ${end.stdout.toString()} ${end.stderr}`);
    });
    await Promise.race([seen.promise, early]);
  };
  return { child, printed, until, ended };
}

// The root of the host alone can hide sshd from one process: an empty directory lies over its own in a mount namespace.
describe.skipIf(missing !== null || process.getuid?.() !== 0)(
  "OpenSSH's ssh and a machine of an emulator that finds no sshd",
  () => {
    let home: string;
    let env: Record<string, string>;
    let emulator: ChildProcess;
    let description: string;
    let endpoint: { readonly host: string; readonly port: number; readonly user: string };

    const slipway = (...args: readonly string[]): string =>
      execFileSync("slipway", [...args], { cwd: project, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const own = (): readonly string[] => [
      ...["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=/dev/null"],
      ...["-o", "StrictHostKeyChecking=no", "-i", join(home, "key"), "-p", String(endpoint.port), "-l", endpoint.user],
    ];
    const ssh = (options: readonly string[], command: readonly string[]): Client =>
      watch(spawn("ssh", [...options, ...own(), "--", endpoint.host, ...command], { stdio: "pipe" }));
    const run = async (command: string, input: string | Buffer = ""): Promise<Ended> => {
      const client = ssh(["-o", "LogLevel=ERROR"], [command]);
      client.child.stdin?.end(input);
      return await client.ended;
    };
    /** The client on a terminal of 40 rows and 111 columns, whose name is printed first. */
    const onTerminal = (command: string): Client => {
      const line = ["ssh", ...own(), "-tt", endpoint.host, `'${command}'`].join(" ");
      return watch(
        spawn("script", ["-qefc", `tty; stty rows 40 cols 111; exec ${line}`, "/dev/null"], { stdio: "pipe" }),
      );
    };

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), "slipway-no-sshd-"));
      const empty = join(home, "empty");
      await mkdir(empty);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, "key")]);
      const path = [join(project, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
      env = { PATH: path, HOME: home, XDG_STATE_HOME: join(home, "state"), NO_COLOR: "1" };
      const hidden = 'mount --bind "$1" /usr/sbin && shift && exec "$@"';
      const words = ["slipway", "emulate", "runpod", "--machines", "light", "--speed", "20", "--json"];
      emulator = spawn("unshare", ["--mount", "--", "/bin/sh", "-c", hidden, "sh", empty, ...words], {
        ...{ cwd: project, env, stdio: ["ignore", "pipe", "inherit"] },
      });
      const [first] = (await once(emulator.stdout ?? emulator, "data")) as [Buffer];
      const served = JSON.parse(first.toString()) as { variables: Record<string, string>; machines: string };
      description = served.machines;
      Object.assign(env, served.variables);
      await writeFile(join(home, "setup.sh"), "echo made >/made\n");
      const spec = ["--spec", "NVIDIA L4", "--ssh-key", join(home, "key.pub"), "--bootstrap", join(home, "setup.sh")];
      slipway("spawn", "--provider", "runpod", "--key", "web", ...spec, "--wait");
      const [instance] = JSON.parse(slipway("list", "--provider", "runpod", "--json")) as [{ ssh: typeof endpoint }];
      endpoint = instance.ssh;
    });
    afterAll(async () => {
      slipway("terminate", "--all", "--yes", "--provider", "runpod");
      emulator.kill("SIGTERM");
      await once(emulator, "exit");
      await rm(home, { recursive: true, force: true });
    });

    it("stands behind the server that the emulator's first line names", () => {
      expect(description).toMatch(/behind the server of ssh2$/);
    });

    it.each([0, 3, 255])("a command ends with code %i", async (code) => {
      expect(await run(`cat /made; echo err >&2; exit ${code}`)).toEqual({
        ...{ code, stdout: Buffer.from("made\n"), stderr: "err\n" },
      });
    });

    it("four megabytes of any bytes come back as they went", async () => {
      const bytes = randomBytes(4 * 1024 * 1024);
      const { code, stdout } = await run("cat", bytes);
      expect(code).toBe(0);
      expect(stdout.equals(bytes)).toBe(true);
    });

    it("a command that a signal ends has no code, and ssh says 255", async () => {
      const client = ssh(["-o", "LogLevel=DEBUG2"], ["kill -TERM $$"]);
      client.child.stdin?.end();
      const { code, stderr } = await client.ended;
      expect(code).toBe(255);
      expect(stderr).toContain("exit-signal");
    });

    it("a connection that is cut ends what prints to it, and leaves the server", async () => {
      const cut = ssh([], ["echo up; while :; do echo more; echo more >&2; done"]);
      await cut.until("up");
      cut.child.kill("SIGKILL");
      await cut.ended;
      await expect.poll(async () => (await run("pgrep -fc '[e]cho more'")).stdout.toString()).toBe("0\n");
    });

    it("a terminal has the size of the client's, and follows it", async () => {
      const follow = 'until [ "$(stty size)" = "50 90" ]; do sleep 0.1; done; stty size; exit 7';
      const client = onTerminal(`test -t 1 && stty size; read line; echo "got $line"; ${follow}`);
      await client.until("40 111");
      client.child.stdin?.write("typed\n");
      await client.until("got typed");
      execFileSync("stty", ["-F", client.printed().match(/\/dev\/pts\/\d+/)?.[0] ?? "", "rows", "50", "cols", "90"]);
      await client.until("50 90");
      expect(await client.ended).toMatchObject({ code: 7 });
      // What is typed is seen once.
      expect(client.printed().match(/typed/g)).toHaveLength(2);
    });

    it("a terminal whose client is gone is closed", async () => {
      const client = onTerminal("echo up; cat");
      await client.until("up");
      client.child.kill("SIGKILL");
      await client.ended;
      await expect.poll(async () => (await run("pgrep -xc cat")).stdout.toString()).toBe("0\n");
      const terminals = `pgrep -P ${String(emulator.pid)} -xc script || true`;
      await expect.poll(() => execFileSync("sh", ["-c", terminals], { encoding: "utf8" })).toBe("0\n");
    });

    it("exec -it gives the command a terminal, and ends with its code", async () => {
      const words = `exec -it web --identity ${join(home, "key")} --provider runpod -- sh -c "test -t 0 && stty size; exit 9"`;
      const line = `stty rows 33 cols 99; exec slipway ${words}`;
      const exec = watch(spawn("script", ["-qefc", line, "/dev/null"], { cwd: project, env, stdio: "pipe" }));
      await exec.until("33 99");
      expect(await exec.ended).toMatchObject({ code: 9 });
    });

    it("a port is not forwarded, as behind sshd", async () => {
      const client = ssh(["-W", "127.0.0.1:22"], []);
      client.child.stdin?.end();
      const { code, stderr } = await client.ended;
      expect(code).toBe(255);
      expect(stderr).toContain("administratively prohibited");
    });
  },
);
