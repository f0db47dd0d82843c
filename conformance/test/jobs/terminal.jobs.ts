import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, machinesMissing } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { commandLine } from "../../../packages/cli/test/command-line.ts";
import { missing as sshdMissing, startSshd } from "../../../packages/reach/test/sshd.ts";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const project = fileURLToPath(new URL("../..", import.meta.url));

/** A command on a terminal of its own: util-linux' `script` makes one, and ends with the command's code. */
class Terminal {
  printed = "";
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly exited: Promise<number | null>;

  constructor(command: string, options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }) {
    this.#child = spawn("script", ["-qefc", command, "/dev/null"], { ...options, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.printed += chunk.toString();
      for (const look of this.#waiting) look();
    });
    this.exited = once(this.#child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Resolves once the text stands there, and rejects if the command ends before. */
  async until(text: string): Promise<void> {
    const seen = Promise.withResolvers<void>();
    const look = (): void => (this.printed.includes(text) ? seen.resolve() : undefined);
    this.#waiting.add(look);
    look();
    void this.exited.then(() => seen.reject(new Error(`the command ended before it printed ${text}: ${this.printed}`)));
    await seen.promise;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

describe.skipIf(missing !== null)("the command on a terminal", () => {
  let home: string;
  let key: string;
  let env: Record<string, string>;
  let emulator: ChildProcess;

  const terminal = (command: string): Terminal => new Terminal(command, { cwd: project, env });
  const run = (...args: readonly string[]): string =>
    execFileSync("slipway", [...args], { cwd: project, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "slipway-terminal-"));
    key = join(home, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    await writeFile(join(home, "setup.sh"), "for n in 1 2 3; do echo bootstrap line $n; sleep 1; done\n");
    const path = [join(project, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
    env = { PATH: path, HOME: home, XDG_STATE_HOME: join(home, "state"), TERM: "xterm", NO_COLOR: "1" };
    emulator = spawn("slipway", ["emulate", "runpod", "--machines", "light", "--speed", "20", "--json"], {
      ...{ cwd: project, env, stdio: ["ignore", "pipe", "inherit"] },
    });
    const [served] = (await once(emulator.stdout ?? emulator, "data")) as [Buffer];
    const { variables } = JSON.parse(served.toString()) as { variables: Record<string, string> };
    Object.assign(env, variables);
  });
  afterAll(async () => {
    run("terminate", "--all", "--yes", "--provider", "runpod");
    emulator.kill("SIGTERM");
    await once(emulator, "exit");
    await rm(home, { recursive: true, force: true });
  });

  it("spawn --wait shows what the bootstrap prints, read with the key of --ssh-key", async () => {
    const words = `spawn --provider runpod --key web --spec "NVIDIA L4" --ssh-key ${key}.pub`;
    const spawning = terminal(`slipway ${words} --bootstrap ${home}/setup.sh --wait`);
    expect(await spawning.exited).toBe(0);
    expect(spawning.printed).toMatch(/web: bootstrap line 1[\s\S]*web: bootstrap line 2[\s\S]*web: bootstrap line 3/);
    expect(spawning.printed).toMatch(/status +running/);
  });

  it("cp takes files there and brings them back", async () => {
    await writeFile(join(home, "file"), "from here\n");
    const there = terminal(`slipway cp ${home}/file web:made/file -i ${key} --provider runpod`);
    expect(await there.exited).toBe(0);
    const back = terminal(`slipway cp web:made/file ${home}/back -i ${key} --provider runpod`);
    expect(await back.exited).toBe(0);
    expect(await readFile(join(home, "back"), "utf8")).toBe("from here\n");
  });

  it("exec -it gives the command the terminal, and ends with its code", async () => {
    await writeFile(
      join(home, "ask.sh"),
      "test -t 0 && test -t 1 && echo a terminal; read line; echo got $line; exit 7\n",
    );
    run("cp", join(home, "ask.sh"), "web:ask.sh", "-i", key, "--provider", "runpod");
    const inside = terminal(`slipway exec -it web --identity ${key} --provider runpod -- sh ask.sh`);
    await inside.until("a terminal");
    inside.type("typed\n");
    await inside.until("got typed");
    expect(await inside.exited).toBe(7);
  });

  it.each([
    ["runpod", '--spec "NVIDIA L4"'],
    ["local", ""],
  ])("logs -f of %s ends with the bootstrap", async (provider, spec) => {
    const words = `spawn --provider ${provider} --key logged ${spec} --ssh-key ${key}.pub --bootstrap ${home}/setup.sh`;
    const ssh = provider === "local" ? "" : `-i ${key}`;
    const spawning = terminal(`slipway ${provider === "local" ? words.replace(`--ssh-key ${key}.pub`, "") : words}`);
    expect(await spawning.exited).toBe(0);
    run("wait", "logged", "--provider", provider);
    const logs = terminal(`slipway logs -f logged ${ssh} --provider ${provider}`);
    expect(await logs.exited).toBe(0);
    expect(logs.printed).toMatch(/bootstrap line 1\s[\s\S]*bootstrap line 2\s[\s\S]*bootstrap line 3\s/);
    expect(logs.printed.match(/bootstrap line 3/g)).toHaveLength(1);
    run("terminate", "logged", "--provider", provider, "--yes");
  });

  it("the first Ctrl-C of run is the command's, and the instance goes", async () => {
    await writeFile(
      join(home, "job.sh"),
      "trap 'echo stopping; exit 3' TERM\necho the job runs\nwhile :; do sleep 0.1; done\n",
    );
    const running = terminal(`slipway run --provider local --upload ${home}/job.sh -- sh job.sh`);
    await running.until("the job runs");
    running.type("\u0003");
    await running.until("stopping");
    expect(await running.exited).toBe(130);
    expect(JSON.parse(run("list", "--provider", "local", "--json"))).toEqual([]);
  });

  it("the second Ctrl-C terminates at once a command that takes no TERM", async () => {
    await writeFile(join(home, "job.sh"), "trap '' TERM\necho the job runs\nwhile :; do sleep 0.1; done\n");
    const running = terminal(`slipway run --provider local --upload ${home}/job.sh -- sh job.sh`);
    await running.until("the job runs");
    running.type("\u0003");
    await running.until("Press Ctrl-C again");
    running.type("\u0003");
    await running.until("Terminating the instance");
    expect(await running.exited).toBe(130);
    expect(JSON.parse(run("list", "--provider", "local", "--json"))).toEqual([]);
  });
});

// An emulated machine forwards nothing, since its sshd stands outside of it. So this one is the system's own.
describe.skipIf(sshdMissing !== null)("forward over a real sshd", () => {
  it("leads a port here to one there, and ends with the command", async () => {
    const sshd = await startSshd();
    onTestFinished(sshd.close);
    const server = createServer((_, response) => response.end("served there")).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port: there } = server.address() as AddressInfo;
    const here = await freePort();
    const line = commandLine({ bare: true });
    line.remote.ssh = sshd.endpoint;
    await line.slipway(["spawn", "--key", "web"]);
    const stop = new AbortController();
    const listening = Promise.withResolvers<string>();
    const running = line.slipway(["forward", "web", `${here}:${there}`, "-i", sshd.identityFile], {
      signal: stop.signal,
      spawnProcess: async (file, args, signal) => {
        const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
        child.stdout.on("data", (chunk: Buffer) => listening.resolve(chunk.toString()));
        signal.addEventListener("abort", () => child.kill("SIGTERM"));
        const [code] = (await once(child, "exit")) as [number | null];
        return code ?? 143;
      },
    });
    expect(await listening.promise).toBe(`127.0.0.1:${here} leads to port ${there} of the instance\n`);
    const url = `http://127.0.0.1:${here}`;
    expect(await (await fetch(url, { headers: { connection: "close" } })).text()).toBe("served there");
    stop.abort();
    await running;
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });
});
