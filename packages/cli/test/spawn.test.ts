import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandLine, NOW } from "./command-line.ts";
import { fault } from "./fake-provider.ts";

describe("slipway spawn", () => {
  it("launches, shows the instance, and ends with the price and the command that ends it", async () => {
    const { slipway, remote } = commandLine();
    remote.price = { usdPerHour: 1.25, per: "instance", asOf: "2026-01-31T00:00:00Z", source: "catalogue" };
    const run = await slipway(["spawn", "--key", "web-1", "--label", "a=b", "--spec", "small"]);
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).toMatch(/^id +i-1$/m);
    expect(run.stdout).toMatch(/^status +running$/m);
    expect(run.stdout.trimEnd().split("\n").at(-1)).toBe(
      "price: $1.25 per hour (catalogue, as of 2026-01-31T00:00:00Z); to end it: slipway terminate i-1",
    );
    expect(remote.called("spawn")[0]?.[0]).toMatchObject({ key: "web-1", labels: { a: "b" }, spec: "small" });
  });

  it("says that a price is not known, and names the provider where it is not the default", async () => {
    const line = commandLine();
    line.write("slipway.config.json", JSON.stringify({ provider: "aws", providers: { aws: { package: "./aws.js" } } }));
    line.write("aws.js", "");
    const run = await line.slipway(["spawn", "--key", "it's", "--provider", "local"]);
    expect(run.stdout.trimEnd().split("\n").at(-1)).toBe(
      "price: not known; to end it: slipway terminate --provider local i-1",
    );
  });

  it("answers the same instance for the same key, and CONFLICT for other options", async () => {
    const { slipway, remote } = commandLine();
    const first = (await slipway(["spawn", "--key", "k", "--json"])).json();
    const second = (await slipway(["spawn", "--key", "k", "--json"])).json();
    expect(second).toEqual(first);
    const other = await slipway(["spawn", "--key", "k", "--spec", "big", "--json"]);
    expect(other.exitCode).toBe(1);
    expect(other.error()).toMatchObject({ code: "CONFLICT", effect: "none", key: "k", native: { id: "i-1" } });
    expect(remote.instances.size).toBe(1);
  });

  it("keeps the first --ttl for a repeated key, and takes a new one once the instance is gone", async () => {
    const { slipway, clock } = commandLine();
    const spawn = () => slipway(["spawn", "--key", "k", "--ttl", "2h", "--json"]);
    const first = (await spawn()).json() as { expiresAt: string; id: string };
    expect(first.expiresAt).toBe(new Date(NOW + 7_200_000).toISOString());
    clock.advance(3_600_000);
    expect((await spawn()).json()).toMatchObject({ id: first.id, expiresAt: first.expiresAt });
    const longer = await slipway(["spawn", "--key", "k", "--ttl", "3h", "--json"]);
    expect(longer.error()).toMatchObject({ code: "CONFLICT" });

    await slipway(["terminate", first.id]);
    const next = (await spawn()).json() as { expiresAt: string; id: string };
    expect(next.id).not.toBe(first.id);
    expect(Date.parse(next.expiresAt)).toBeGreaterThan(Date.parse(first.expiresAt));
  });

  it("says before the launch who ends an instance with a --ttl", async () => {
    const { slipway } = commandLine();
    const { stderr, exitCode } = await slipway(["spawn", "--key", "k", "--ttl", "2h"]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`It expires at ${new Date(NOW + 7_200_000).toISOString()}.`);
    expect(stderr).toContain("does not terminate it by itself. Run `slipway reap`");
    const reasoned = await commandLine({ bare: true }).slipway(["spawn", "--key", "k", "--ttl", "2h"]);
    expect(reasoned.stderr).toContain("does not terminate it by itself: It keeps no time. Run `slipway reap`");
    // `reconcile` alone ends nothing.
    expect((await slipway(["get", "k"])).stdout).toMatch(/expires .*`slipway reap` terminates what has expired/);
  });

  it("does not take up the --ttl of an instance that is forgotten", async () => {
    const { slipway, clock, remote } = commandLine();
    const spawn = async () =>
      (await slipway(["spawn", "--key", "k", "--ttl", "1h", "--json"])).json() as { expiresAt: string };
    await spawn();
    clock.advance(7_200_000);
    remote.instances.clear();
    expect((await slipway(["reconcile", "--apply", "--yes"])).stdout).toContain("(missing) forgotten");
    expect((await spawn()).expiresAt).toBe(new Date(Math.ceil((clock.now() + 3_600_000) / 1000) * 1000).toISOString());
  });

  it("gives a --ttl that failed before anything was made its whole time at the next try", async () => {
    const { slipway, clock, remote } = commandLine();
    remote.failures.set("spawn", () => fault("CAPACITY_ERROR", "local", "none free"));
    expect((await slipway(["spawn", "--key", "k", "--ttl", "1h"])).exitCode).toBe(1);
    remote.failures.clear();
    clock.advance(1_800_000);
    const run = await slipway(["spawn", "--key", "k", "--ttl", "1h", "--json"]);
    expect(Date.parse((run.json() as { expiresAt: string }).expiresAt)).toBeGreaterThanOrEqual(clock.now() + 3_500_000);
  });

  it("hands on what the flags describe", async () => {
    const line = commandLine();
    line.write("setup.sh", "echo hi\n");
    line.write("app.conf", "port=1\n");
    line.write(".env", "# comment\nTOKEN=a=b c\n\nEMPTY=\n");
    line.write("id.pub", "ssh-ed25519 AAAA me\n");
    const run = await line.slipway([
      ...["spawn", "--key", "k", "--bootstrap", "setup.sh", "--env-file", ".env", "--env", "X=1=2"],
      ...[
        "--file",
        "/etc/app.conf=app.conf",
        "--feature",
        "docker",
        "--ssh-key",
        "id.pub",
        "--ssh-key",
        "ssh-rsa BBBB",
      ],
      ...["--cpus", "2", "--memory", "512M", "--port", "80:8080/udp", "--volume", "v:1:/data", "--hibernation"],
      ...["--max-usd-per-hour", "1.5", "--spot=0.3", "--json"],
    ]);
    expect(run.stderr).toBe("");
    expect(line.remote.called("spawn")[0]?.[0]).toMatchObject({
      bootstrap: expect.objectContaining({ content: "#!/bin/sh\necho hi\n\n" }),
      sshKeys: ["ssh-ed25519 AAAA me", "ssh-rsa BBBB"],
      resources: { cpus: 2, memoryBytes: 512 * 2 ** 20 },
      ports: [{ port: 8080, hostPort: 80, protocol: "udp" }],
      volumes: [{ id: "v:1", mountPath: "/data" }],
      hibernation: true,
      maxUsdPerHour: 1.5,
      spot: { maxUsdPerHour: 0.3 },
    });
  });

  it("leaves it to the provider whether a spec takes resources beside it", async () => {
    const { slipway, remote } = commandLine();
    const asked = ["spawn", "--key", "a", "--spec", "main", "--cpus", "2"];
    const refused = await slipway(asked);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("spec and resources exclude")]);
    remote.specTakesResources = true;
    expect((await slipway(asked)).exitCode).toBe(0);
    expect(remote.called("spawn")[0]?.[0]).toMatchObject({ spec: "main", resources: { cpus: 2 } });
  });

  it("says the price that `slipway prices` knows where the instance has none", async () => {
    const { slipway, remote } = commandLine({ sells: true });
    const price = { usdPerHour: 1.5, per: "instance", asOf: "2026-01-31T12:00:00Z", source: "live" } as const;
    remote.offerings = [{ spec: "big", price }, { spec: "small" }];
    const big = await slipway(["spawn", "--key", "a", "--spec", "big"]);
    expect(big.stdout).toContain("price: $1.50 per hour (live, as of 2026-01-31T12:00:00Z); to end it:");
    expect((await slipway(["spawn", "--key", "b", "--spec", "small"])).stdout).toContain("price: not known;");
    expect((await slipway(["spawn", "--key", "c"])).stdout).toContain("price: not known;");
    remote.failures.set("listOfferings", () => fault("NETWORK", "local", "cut"));
    const failed = await slipway(["spawn", "--key", "d", "--spec", "big"]);
    expect([failed.exitCode, failed.stdout]).toEqual([0, expect.stringContaining("price: not known;")]);
  });

  it("goes on to the next place when one has no capacity, and looks first where something may have been made", async () => {
    const { slipway, remote } = commandLine({ sells: true });
    remote.places = [{ spec: "first" }, { spec: "second" }];
    remote.hooks.set("spawn", async () => {
      const full = remote.called("spawn").length === 1;
      if (full) throw fault("CAPACITY_ERROR", "local", "full");
    });
    expect((await slipway(["spawn", "--key", "a", "--json"])).json()).toMatchObject({ spec: "second" });
    expect(remote.called("spawn").map(([options]) => options)).toMatchObject([{ spec: "first" }, { spec: "second" }]);

    remote.hooks.set("spawn", async () => {
      throw fault("CAPACITY_ERROR", "local", "full", undefined, "unknown");
    });
    const before = remote.calls.length;
    expect((await slipway(["spawn", "--key", "b", "--json"])).error()).toMatchObject({ code: "CAPACITY_ERROR" });
    const [, ...made] = remote.calls.slice(before).flatMap(({ method }) => (method === "register" ? [] : [method]));
    expect(made[0]).toBe("spawn");
    expect(made.slice(1, made.indexOf("spawn", 1))).toContain("list");
  });

  it("reads the bootstrap from stdin", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--bootstrap", "-"], { input: "echo from stdin" });
    expect(JSON.stringify(remote.called("spawn"))).toContain("echo from stdin");
  });

  it("refuses what the provider lacks with its own sentence, and calls nothing", async () => {
    const { slipway, remote } = commandLine({ bare: true });
    const run = await slipway(["spawn", "--spot", "--json"]);
    expect(run.exitCode).toBe(1);
    expect(run.error()).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(run.error()["message"]).toContain("it has one price");
    expect(remote.called("spawn")).toEqual([]);
  });

  it("waits for the bootstrap, and shows its last lines when it fails", async () => {
    const { slipway, remote } = commandLine();
    remote.bootstrap = { state: "failed", exitCode: 7 };
    remote.log = ["one", "it \u001b[31mbroke"];
    const run = await slipway(["spawn", "--key", "k", "--bootstrap", "-", "--wait"], { input: "exit 7" });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("exit code 7");
    expect(run.stderr).toContain("\\x1b[31mbroke");
    expect(run.stderr).not.toContain("\u001b");
    const json = await slipway(["spawn", "--key", "k", "--bootstrap", "-", "--wait", "--json"], { input: "exit 7" });
    expect(json.error()).toMatchObject({ code: "INVALID_STATE", key: "k", id: "i-1" });
    // It still runs: the way to end it is there.
    expect(run.stderr).toContain("to end it: slipway terminate i-1");
  });

  it("names the key and how to look when the outcome is not known", async () => {
    const { slipway, remote } = commandLine();
    remote.failures.set("spawn", () => fault("NETWORK", "local", "the line broke", undefined, "unknown"));
    remote.failures.set("list", () => fault("UNAVAILABLE", "local", "down"));
    const run = await slipway(["spawn", "--key", "web 1"], { signal: AbortSignal.timeout(20_000) });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("slipway list --key 'web 1'");
    expect(run.stderr).toMatch(/effect +unknown/);
  }, 120_000);

  it("answers 130 when interrupted while another process works on the key", async () => {
    const { slipway, remote, clock } = commandLine();
    const controller = new AbortController();
    remote.hooks.set("spawn", async () => {
      const second = await slipway(["spawn", "--key", "k", "--json"], {
        signal: controller.signal,
        clock: {
          now: clock.now,
          sleep: async () => {
            controller.abort(new DOMException("interrupted by the user", "AbortError"));
            controller.signal.throwIfAborted();
          },
        },
      });
      expect(second.exitCode).toBe(130);
      expect(second.error()).toMatchObject({ code: "CANCELLED", effect: "none", key: "k" });
    });
    expect((await slipway(["spawn", "--key", "k"])).exitCode).toBe(0);
    expect(remote.called("spawn").length).toBe(1);
  });

  it("answers 130 when interrupted, and says what may be left", async () => {
    const { slipway, remote } = commandLine();
    const controller = new AbortController();
    remote.hooks.set("spawn", async () => {
      controller.abort(new DOMException("interrupted by the user", "AbortError"));
      throw fault("NETWORK", "local", "cut", undefined, "unknown");
    });
    const run = await slipway(["spawn", "--key", "k"], { signal: controller.signal });
    expect(run.exitCode).toBe(130);
    expect(run.stderr).toMatch(/effect +unknown: it may have been done: look with `slipway list --key k`/);
  });
});

describe("the environment of a bootstrap", () => {
  it("may hold any name and any value", async () => {
    const line = commandLine();
    line.write(".env", "__proto__=a\nconstructor=b=c\n QUOTED='d'\n");
    const args = ["bootstrap", "render", "-", "--format", "shell", "--env-file", ".env"];
    const spaced = await line.slipway(args, { input: "true" });
    expect(spaced.exitCode).toBe(1);
    expect(spaced.stderr).toContain("INVALID_SPEC");
    line.write(".env", "__proto__=a\nconstructor=b=c\nQUOTED='d'\n");
    const run = await line.slipway(args, { input: "true" });
    expect(run.stderr).toContain("sha256:");
    for (const name of ["__proto__", "constructor", "QUOTED"]) expect(run.stdout).toContain(name);
  });
});

describe("slipway spawn --dry-run", () => {
  it("shows what would be sent without secrets, and calls nothing", async () => {
    const line = commandLine();
    line.write(".env", "TOKEN=s3cret-of-env\n");
    line.write("token", "s3cret-of-token\n");
    line.write("ts", "s3cret-of-tailscale\n");
    const args = ["spawn", "--dry-run", "--key", "k", "--env-file", ".env", "--registration-token-file", "token"];
    const run = await line.slipway([...args, "--bootstrap", "-", "--ttl", "2h", "--json"], { input: "true" });
    expect(run.json()).toMatchObject({
      dryRun: true,
      provider: "local",
      key: "k",
      options: { expiresAt: "7200000 ms after the launch" },
      bootstrap: { environment: { TOKEN: "[redacted]" }, registrationToken: "[redacted]", format: "shell" },
    });
    expect(run.stdout + run.stderr).not.toContain("s3cret");
    expect(line.remote.calls.map(({ method }) => method)).toEqual(["register"]);
    expect(readdirSync(line.state, { recursive: true }).filter((name) => String(name).includes("launch"))).toEqual([]);
  });

  it("makes the checks that a spawn makes", async () => {
    const { slipway, remote } = commandLine({ bare: true });
    const image = await slipway(["spawn", "--dry-run", "--image", "x", "--json"]);
    expect(image.error()).toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining("it has one image") });
    const snapshot = await slipway(["spawn", "--dry-run", "--from-snapshot", "x", "--json"]);
    expect(snapshot.error()["message"]).toContain("no disks to copy");
    const labels = await slipway([
      "spawn",
      "--dry-run",
      ..."123456789".split("").flatMap((n) => ["--label", `l${n}=x`]),
    ]);
    expect(labels.stderr).toContain("INVALID_SPEC");
    expect(remote.called("spawn")).toEqual([]);
  });
});

describe("secrets", () => {
  it("stand in no error, event, or JSON, whatever a provider puts into its texts", async () => {
    const line = commandLine();
    line.write(".env", "TOKEN=s3cret-value\n");
    line.remote.failures.set("spawn", () => fault("AUTH_ERROR", "local", 'bad header "s3cret-value"'));
    for (const extra of [["--json"], ["--verbose"], []]) {
      const run = await line.slipway(["spawn", "--key", "k", "--env-file", ".env", ...extra]);
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain("[redacted]");
      expect(run.stdout + run.stderr).not.toContain("s3cret-value");
    }
  });

  it("are not repeated when they were given to the wrong option", async () => {
    const { slipway } = commandLine();
    const run = await slipway(["spawn", "--env", "hunter2hunter2"]);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toContain("INVALID_ARGUMENT");
    expect(run.stderr).not.toContain("hunter2");
  });

  it("a private key is not sent", async () => {
    const line = commandLine();
    line.write("id", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n");
    const run = await line.slipway(["spawn", "--ssh-key", "id"]);
    expect(run.stderr).toContain("is a private key");
    expect(run.stderr).toContain("--ssh-key id.pub");
    expect(line.remote.calls).toEqual([]);
  });

  it("in the store are for this user alone", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "k"]);
    const owner = readFileSync(join(line.state, "slipway", "owner"), "utf8").trim();
    expect(owner).toMatch(/^cli-[0-9a-f]{16}$/);
    expect(line.remote.called("register")[0]?.[1]).toBe(owner);
  });
});
