import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { type CommandLine, commandLine } from "./command-line.ts";
import { type FakeRemote, fault } from "./fake-provider.ts";

const MINUTE = 60_000;
const missing = (name: string): string | null => {
  try {
    execFileSync("/bin/sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
    return null;
  } catch {
    if (process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(`${name} is not installed`);
    return `${name} is not installed`;
  }
};

/** Debian's own kubectl is older than CronJobs of `batch/v1`, so not even `.ci/run` demands one. */
const withoutKubectl = (): string | null => {
  try {
    const said = execFileSync("kubectl", ["version", "--client", "-o", "json"], { encoding: "utf8", stdio: "pipe" });
    const { clientVersion } = JSON.parse(said) as { clientVersion: { minor: string } };
    return Number.parseInt(clientVersion.minor, 10) >= 21 ? null : "kubectl is older than 1.21";
  } catch {
    return "kubectl is not installed";
  }
};

async function launched(line: CommandLine): Promise<void> {
  await line.slipway(["spawn", "--key", "short", "--ttl", "10m"]);
  await line.slipway(["spawn", "--key", "long", "--ttl", "2h"]);
  await line.slipway(["spawn", "--key", "endless"]);
}
const running = ({ remote }: CommandLine): (string | null)[] =>
  [...remote.instances.values()].filter(({ status }) => status !== "terminated").map(({ key }) => key);

describe("slipway reap", () => {
  it("terminates what has been expired for the margin, and is silent where there is nothing", async () => {
    const line = commandLine();
    await launched(line);
    line.clock.advance(19 * MINUTE);
    expect(await line.slipway(["reap"])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    line.clock.advance(MINUTE);
    const dry = await line.slipway(["reap", "--dry-run"]);
    expect(dry.stdout).toMatch(/expired +local +i-1 +short/);
    expect(dry.stderr).toContain("local shows no clock to compare with this machine's.");
    const done = await line.slipway(["reap"]);
    expect(done).toMatchObject({ exitCode: 0, stderr: "" });
    expect(done.stdout).toMatch(/terminated +local +i-1 +short/);
    expect(running(line)).toEqual(["long", "endless"]);
    expect((await line.slipway(["reap", "--json"])).json()).toEqual({
      complete: true,
      providers: [
        { provider: "local", owner: expect.any(String), clock: { state: "unknown" }, instances: [], idle: [] },
      ],
    });
    // Its launch is forgotten: nothing is missing.
    expect((await line.slipway(["reconcile"])).stderr).toBe("All is as it was launched.\n");
  });

  it("says what it could not look at, does the rest, and fails", async () => {
    const line = commandLine();
    await launched(line);
    line.clock.advance(30 * MINUTE);
    line.write("slipway.config.json", JSON.stringify({ providers: { broken: { package: "./broken.mjs" } } }));
    line.write("broken.mjs", "throw new Error('no such library')");
    const run = await line.slipway(["reap"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("BROKEN_PROVIDER");
    expect(running(line)).toEqual(["long", "endless"]);
    line.remote.failures.set("list", () => fault("UNAVAILABLE", "local", "the remote is down"));
    const down = await line.slipway(["reap", "--provider", "local", "--json"]);
    expect(down.exitCode).toBe(1);
    expect(down.json()).toMatchObject({ complete: false, providers: [{ error: { code: "UNAVAILABLE" } }] });
    const dry = await line.slipway(["reap", "--provider", "local", "--dry-run"]);
    expect([dry.exitCode, dry.stderr]).toEqual([1, expect.stringContaining("expired where it could look")]);
  });

  it("looks inside with --idle, remembers what it saw, and terminates what had nothing to do", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "idle"]);
    await line.slipway(["spawn", "--key", "works"]);
    for (const one of line.remote.instances.values()) line.remote.instances.set(one.id, { ...one, status: "running" });
    let busyS = 0;
    const inside =
      (text: (id: string) => string): FakeRemote["shell"] =>
      async (_argv, _signal, id) => ({ exitCode: 0, stdout: text(id), stderr: "" });
    line.remote.shell = inside((id) => {
      const used = id === "i-1" ? 100 : busyS;
      return `boot b\nuptime ${line.clock.now() / 1000}\ncontainer ${used * 1e6}\nend\n`;
    });
    const rounds: (string | undefined)[] = [];
    for (let round = 0; round < 4; round += 1) {
      const run = await line.slipway(["reap", "--idle", "30m"]);
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      rounds.push(run.stdout);
      line.clock.advance(10 * MINUTE);
      busyS += 300;
    }
    expect(rounds.slice(0, 3)).toEqual(["", "", ""]);
    expect(rounds[3]).toMatch(/terminated +local +i-1 +idle +- +idle for 30 min/);
    expect(running(line)).toEqual(["works"]);
    line.remote.shell = inside(() => "nothing");
    const blind = await line.slipway(["reap", "--idle", "30m", "--json"]);
    expect(blind.exitCode).toBe(1);
    expect(blind.json()).toMatchObject({
      complete: false,
      providers: [{ idle: [{ key: "works", outcome: "unknown" }] }],
    });
  });

  it("prints no --idle for a place that forgets", async () => {
    const { slipway } = commandLine();
    for (const place of ["github", "kubernetes"]) {
      const run = await slipway(["reap", "--print", place, "--idle", "30m", "--json"]);
      expect(run.exitCode).toBe(2);
      expect(run.error()).toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect((await slipway(["reap", "--print", "cron", "--idle", "30m"])).stdout).toContain(
      "slipway reap --idle 1800000ms",
    );
  });

  it("does not look for an owner that it would have to invent", async () => {
    const line = commandLine();
    const run = await line.slipway(["reap", "--json"]);
    expect(run.exitCode).toBe(2);
    expect(run.error()).toMatchObject({ code: "UNKNOWN_OWNER" });
    expect(line.remote.calls).toEqual([]);
    line.write("slipway.config.json", JSON.stringify({ owner: "my-ci" }));
    expect((await line.slipway(["reap"])).exitCode).toBe(0);
  });

  it("hears the remotes' clocks, and says that this machine's differs", async () => {
    const line = commandLine();
    const { modules } = line;
    const make = modules.get("@slipway/provider-local");
    modules.set("@slipway/provider-local", () => {
      const module = make?.() as { register: (config: unknown, env: { runtime: Runtime }) => unknown };
      return {
        ...module,
        register: (config: unknown, env: { runtime: Runtime }) => {
          line.remote.hooks.set("list", async () => {
            const now = line.clock.now();
            env.runtime.onRemoteDate?.({ provider: "local", date: now - 20 * MINUTE, sentAt: now, receivedAt: now });
          });
          return module.register(config, env);
        },
      };
    });
    await launched(line);
    line.clock.advance(35 * MINUTE);
    const run = await line.slipway(["reap"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("error CLOCK_DIFFERS: this machine's clock is 19 min 59 s ahead of local's");
    expect(running(line)).toEqual(["short", "long", "endless"]);
  });
});

interface Runtime {
  readonly onRemoteDate?: (date: { provider: string; date: number; sentAt: number; receivedAt: number }) => void;
}

interface PrintedFile {
  readonly path: string;
  readonly content: string;
}

describe("slipway reap --print", () => {
  const printed = async (place: string): Promise<readonly PrintedFile[]> => {
    const { slipway } = commandLine();
    return (await slipway(["local", "reap", "--print", place, "--json"])).json() as readonly PrintedFile[];
  };

  it("calls nothing, and shows each file under its path", async () => {
    const line = commandLine();
    const { stdout, exitCode } = await line.slipway(["reap", "--print", "systemd"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^# \/etc\/systemd\/system\/slipway-reap.service\n\[Unit\]\n/);
    expect(stdout).toContain("\n# /etc/systemd/system/slipway-reap.timer\n[Unit]\n");
    // Else the unit runs as root without HOME, and every run ends before it has looked at anything.
    expect((await line.slipway(["reap", "--print", "systemd"], { uid: 4711 })).stdout).toContain("\nUser=4711\n");
    expect(line.remote.calls).toEqual([]);
  });

  it("prints the line that was asked for: a dry run stays one", async () => {
    const line = commandLine();
    for (const place of ["systemd", "cron", "github", "kubernetes"]) {
      const run = await line.slipway(["reap", "--dry-run", "--timeout", "90s", "--print", place]);
      expect(run.stdout, place).toContain("slipway reap --dry-run --timeout 90000ms");
    }
  });

  const noSystemd = missing("systemd-analyze");
  it.skipIf(noSystemd !== null)(`systemd itself takes the units ${noSystemd ?? ""}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "slipway-units-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const files = await printed("systemd");
    const paths = files.map(({ path, content }) => {
      const file = join(directory, basename(path));
      writeFileSync(file, content);
      return file;
    });
    const verify = (): string =>
      execFileSync("systemd-analyze", ["verify", "--man=no", ...paths], { encoding: "utf8", stdio: "pipe" });
    expect(verify()).toBe("");
    const [service = ""] = paths;
    writeFileSync(service, readFileSync(service, "utf8").replace("Type=oneshot", "Type=oneshot\nExecStart=relative"));
    // The judge judges.
    expect(verify).toThrow("Command failed: systemd-analyze");
    expect(files[0]?.content).toContain("ExecStart=/usr/bin/env slipway reap --provider local\n");
  });

  it("cron gets one line that a shell can read", async () => {
    const line = commandLine();
    const [file] = (await line.slipway(["reap", "--print", "cron", "--json"])).json() as readonly PrintedFile[];
    const [, job = ""] = file?.content.trimEnd().split("\n") ?? [];
    const [, command] = /^\*\/5 \* \* \* \* (.*)$/.exec(job) ?? [];
    execFileSync("/bin/sh", ["-n", "-c", command ?? "("]);
    expect(command).toBe(`cd ${line.cwd} && slipway reap`);
  });

  const noActionlint = missing("actionlint");
  it.skipIf(noActionlint !== null)(`actionlint takes GitHub's workflow ${noActionlint ?? ""}`, async () => {
    const [file] = await printed("github");
    const lint = (input: string): string =>
      execFileSync("actionlint", ["-no-color", "-shellcheck=", "-pyflakes=", "-"], {
        input,
        encoding: "utf8",
        stdio: "pipe",
      });
    expect(lint(file?.content ?? "")).toBe("");
    // The judge judges.
    expect(() => lint((file?.content ?? "").replace("runs-on:", "run-on:"))).toThrow("Command failed: actionlint");
  });

  it("GitHub gets a workflow with a schedule and no right to write", async () => {
    const [file] = await printed("github");
    expect(parse(file?.content ?? "")).toMatchObject({
      on: { schedule: [{ cron: "*/15 * * * *" }], workflow_dispatch: {} },
      permissions: { contents: "read" },
      jobs: {
        reap: {
          "runs-on": "ubuntu-latest",
          steps: [
            { uses: "actions/checkout@v4" },
            { uses: "actions/setup-node@v4", with: { "node-version": 24 } },
            { run: "npm ci" },
            { run: "npx --no-install slipway reap --provider local", env: expect.any(Object) },
          ],
        },
      },
    });
  });

  it("Kubernetes gets a CronJob that runs one at a time", async () => {
    const [file] = await printed("kubernetes");
    const job: unknown = parse(file?.content ?? "");
    expect(job).toMatchObject({
      apiVersion: "batch/v1",
      kind: "CronJob",
      spec: {
        concurrencyPolicy: "Forbid",
        jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "reap" }] } } } },
      },
    });
  });

  const noKubectl = withoutKubectl();
  it.skipIf(noKubectl !== null)(`kubectl itself takes the CronJob ${noKubectl ?? ""}`, async () => {
    const [file] = await printed("kubernetes");
    const set = (manifest: string): string =>
      execFileSync("kubectl", ["set", "image", "--local", "-f", "-", "reap=node:24", "-o", "json"], {
        input: manifest,
        encoding: "utf8",
        stdio: "pipe",
        env: { PATH: process.env["PATH"] ?? "", KUBECONFIG: "/dev/null" },
      });
    expect(JSON.parse(set(file?.content ?? ""))).toMatchObject({ kind: "CronJob" });
    expect(() => set((file?.content ?? "").replace("- name: reap", "- nam: reap"))).toThrow("Command failed: kubectl");
  });
});
