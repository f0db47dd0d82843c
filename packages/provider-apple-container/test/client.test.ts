import { describe, expect, test } from "vitest";
import { appleContainerClient } from "../src/client.ts";
import { appleContainer, register } from "../src/index.ts";
import { answeringExec, type Sent } from "./answering-exec.ts";
import { failure } from "./failure.ts";

const call = { operation: "list" } as const;
const version = (text: string) => ({ stdout: `container CLI version ${text} (build: release, commit: unspeci)\n` });

/** As a real Mac printed it at 1.0.0, shortened; 1.1.0 added `variant`. */
const running = (more: object = {}) => ({
  configuration: {
    capAdd: [],
    creationDate: "2026-06-10T23:03:47Z",
    id: "web",
    image: { descriptor: { digest: "sha256:2510", size: 9218 }, reference: "docker.io/library/alpine:latest" },
    initProcess: { arguments: ["120"], environment: [], executable: "sleep", user: { id: { gid: 0, uid: 0 } } },
    labels: {
      "dev.slipway.owner": "t",
      "dev.slipway.key": "a%3Db",
      "dev.slipway.generation": "0123456789ab",
      team: "x",
    },
    mounts: [{ type: { virtiofs: {} }, source: "/src", destination: "/dst", options: [] }],
    publishedPorts: [{ hostAddress: "127.0.0.1", hostPort: 8080, containerPort: 80, proto: "tcp", count: 1 }],
    resources: { cpuOverhead: 1, cpus: 4, memoryInBytes: 1073741824 },
  },
  id: "web",
  status: {
    networks: [
      {
        hostname: "web",
        ipv4Address: "192.168.65.2/24",
        ipv4Gateway: "192.168.65.1",
        ipv6Address: "fd68:e17d::75d2/64",
        network: "default",
        ...more,
      },
    ],
    startedDate: "2026-06-10T23:03:49Z",
    state: "running",
  },
});
const stopped = { ...running(), status: { networks: [], startedDate: "2026-06-10T23:03:49Z", state: "stopped" } };
const provider = (answers: Parameters<typeof answeringExec>[0], sent: Sent[] = []) =>
  appleContainer({ owner: "t", variables: {}, runtime: { exec: answeringExec(answers, sent) } });

describe("versions", () => {
  test.each([
    ["0.12.3", "too old"],
    ["0.5.0", "too old"],
    ["2.0.0", "not known yet"],
  ])("%s is refused before anything else is asked", async (text, why) => {
    const sent: Sent[] = [];
    const error = await failure(provider({ "--version": version(text) }, sent).list());
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(error.message).toContain(why);
    expect(error.hint).toContain("1.2.2");
    expect(sent.map(({ args }) => args)).toEqual([["--version"]]);
  });

  test.each(["1.0.0", "1.2.2", "1.4.1", "1.9.0"])("%s is taken, and asked for once", async (text) => {
    const sent: Sent[] = [];
    const one = provider({ "--version": version(text) }, sent);
    await one.list();
    await one.list();
    expect(sent.map(({ args }) => args[0])).toEqual(["--version", "list", "list"]);
  });

  test("what is no version is refused", async () => {
    const error = await failure(provider({ "--version": { stdout: "container of apples\n" } }).list());
    expect(error.code).toBe("UNSUPPORTED");
  });

  test("the shape of an old version is named, whatever the version says", async () => {
    const old = [
      { status: "running", configuration: { id: "web", labels: {} }, networks: [], startedDate: 798848160.12 },
    ];
    const error = await failure(provider({ list: { stdout: JSON.stringify(old) } }).list());
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(error.message).toContain("before 1.0.0");
  });
});

describe("answers", () => {
  test.each([
    ["1.0.0", {}],
    ["1.1.0 on macOS 26", { variant: "reserved", mtu: 1280 }],
    ["1.1.0 on macOS 15", { variant: "allocationOnly" }],
    ["a later one", { speed: { of: "light" } }],
  ])("a container of %s", async (_name, more) => {
    const stdout = JSON.stringify([running(more)]).replaceAll("/", "\\/");
    const [instance] = await provider({ list: { stdout } }).list();
    expect(instance).toMatchObject({
      id: "web.0123456789ab",
      nativeId: "web",
      key: "a=b",
      owner: "t",
      status: "running",
      image: "docker.io/library/alpine:latest",
      addresses: { privateIpv4: "192.168.65.2", ipv6: "fd68:e17d::75d2" },
      resources: { cpus: 4, memoryBytes: 1073741824 },
      ports: [{ port: 80, hostPort: 8080, protocol: "tcp" }],
      labels: { team: "x" },
      createdAt: "2026-06-10T23:03:47.000Z",
    });
  });

  test("a stopped one has no address, and one that was never started says so", async () => {
    const never = { ...stopped, status: { networks: [], state: "stopped" } };
    const list = { stdout: JSON.stringify([stopped, { ...never, id: "other" }]) };
    const [first, second] = await provider({ list }).list();
    expect(first).toMatchObject({ status: "stopped", addresses: {} });
    expect(first?.statusReason).toBeUndefined();
    expect(second).toMatchObject({ status: "stopped", statusReason: { code: "not-started" } });
  });

  test("an unknown state is unknown, and the year 1970 no time", async () => {
    const odd = running();
    const list = {
      stdout: JSON.stringify([
        {
          ...odd,
          configuration: { ...odd.configuration, creationDate: "1970-01-01T00:00:00Z" },
          status: { state: "dreaming" },
        },
      ]),
    };
    expect((await provider({ list }).list())[0]).toMatchObject({ status: "unknown", createdAt: null, addresses: {} });
  });

  test("others' containers and nodes are not listed, however little they say", async () => {
    const bare = { id: "buildkit", configuration: {}, status: { state: "running" } };
    const node = {
      id: "n1",
      configuration: {
        labels: { "dev.slipway.owner": "t", "dev.slipway.cluster": "dev", "dev.slipway.role": "worker" },
      },
      status: { state: "running" },
    };
    const list = { stdout: JSON.stringify([bare, node]) };
    expect(await provider({ list }).list({ owner: "*" })).toEqual([]);
  });

  test.each([
    ["cut off", '[{"id":"web"'],
    ["nothing", ""],
    ["another shape", '[{"id":7}]'],
    ["a page", "<html>"],
  ])("a list that is %s is an error, and never an empty list", async (_name, stdout) => {
    expect(await failure(provider({ list: { stdout } }).list())).toMatchObject({ code: "INTERNAL", effect: "none" });
  });
});

describe("the service", () => {
  test.each([
    ["1.0.0, running", '{"apiServerVersion":"x","status":"running"}', 0, "running"],
    ["1.0.0, down", '{"apiServerVersion":"","status":"unregistered"}', 1, "unregistered"],
    ["1.4.1, down", '{"status":"not running"}', 1, "not running"],
    ["1.4.1, running", '{"server":{},"paths":{},"status":"running"}', 0, "running"],
  ])("%s", async (_name, stdout, exitCode, status) => {
    const exec = answeringExec({ "system status": { stdout, exitCode } });
    expect(await appleContainerClient({ executable: "container", exec }).systemStatus(call)).toBe(status);
  });

  test("startup says how to start it, and asks nobody", async () => {
    const sent: Sent[] = [];
    const exec = answeringExec({ "system status": { stdout: '{"status":"unregistered"}', exitCode: 1 } }, sent);
    const { hooks } = await register({}, { owner: "t", variables: {}, runtime: { exec } });
    const error = await failure(hooks.onStartup());
    expect(error).toMatchObject({ code: "UNAVAILABLE", operation: "onStartup", effect: "none" });
    expect(error.message).toContain("container system start --enable-kernel-install");
    expect(sent.every(({ options }) => options.stdin === undefined)).toBe(true);
  });

  test("networks are asked for at startup only if they were wanted", async () => {
    const exec = answeringExec({ "network list": "plugin-missing" });
    const env = { owner: "t", variables: {}, runtime: { exec } };
    await (await register({}, env)).hooks.onStartup();
    const error = await failure((await register({ networks: true }, env)).hooks.onStartup());
    expect(error).toMatchObject({ code: "UNSUPPORTED", operation: "onStartup" });
  });
});

describe("commands", () => {
  test("run has its options before the image, and all else behind it", async () => {
    const sent: Sent[] = [];
    const client = appleContainerClient({ executable: "/opt/container", exec: answeringExec({}, sent) });
    await client.run(call, {
      name: "slip-a",
      image: "alpine",
      labels: { a: "1" },
      cpus: 2,
      memoryBytes: 300_000_000,
      publish: [{ hostPort: 8080, port: 80, protocol: "tcp" }],
      volumes: [{ name: "data", path: "/data" }],
      network: "none",
      tmpfs: ["/run"],
      environment: { container: "docker" },
      capabilities: ["ALL"],
      unmasked: true,
      init: true,
      entrypoint: "/bin/sh",
      argv: ["-c", "true"],
    });
    const { file, args } = sent[1] ?? { file: "", args: [] };
    expect(file).toBe("/opt/container");
    expect(args.join(" ")).toBe(
      "run --detach --progress none --name slip-a --label a=1 --cpus 2 --memory 287m --publish 127.0.0.1:8080:80/tcp " +
        "--volume data:/data --network none --tmpfs /run --env container=docker --cap-add ALL " +
        "--masked-path NONE --read-only-path NONE --init --entrypoint /bin/sh alpine -c true",
    );
  });

  test("every command has a time limit", async () => {
    const sent: Sent[] = [];
    const one = provider({}, sent);
    await one.spawn({ bootstrap: { script: "true" } });
    await one.terminate("slip-a");
    await one.listVolumes();
    expect(sent.map(({ options }) => options.timeoutMs ?? 0).filter((ms) => ms < 1_000 || ms > 600_000)).toEqual([]);
  });

  test("the program is the option, the variable, or the one on the PATH", async () => {
    const files: string[] = [];
    const ask = async (executable: string | undefined, variables: Record<string, string>) => {
      const sent: Sent[] = [];
      const one = appleContainer({ owner: "t", executable, variables, runtime: { exec: answeringExec({}, sent) } });
      await one.list();
      files.push(sent[0]?.file ?? "");
    };
    await ask("/a/container", { SLIPWAY_CONTAINER: "/b/container" });
    await ask(undefined, { SLIPWAY_CONTAINER: "/b/container" });
    await ask(undefined, { SLIPWAY_CONTAINER: "" });
    expect(files).toEqual(["/a/container", "/b/container", "container"]);
  });
});

describe("a program inside", () => {
  const inspect = { stdout: JSON.stringify([running()]) };
  const cases: readonly (readonly [name: string, answer: { exitCode: number; stderr: string }, exitCode: number])[] = [
    ["that fails", { exitCode: 7, stderr: "no" }, 7],
    ["that prints what the command would", { exitCode: 1, stderr: "Error: container web is not running\n" }, 1],
    ["that exits with 64", { exitCode: 64, stderr: "Error: bad flag\n" }, 64],
    [
      "that is missing",
      {
        exitCode: 1,
        stderr:
          'Error: failed to start process X in container web (cause: "internalError: "failed to find target executable nope"")\n',
      },
      127,
    ],
    ["that a signal ended", { exitCode: 137, stderr: "" }, 137],
  ];
  test.each(cases)("%s is a result", async (_name, answer, exitCode) => {
    const one = provider({ inspect, exec: { stdout: "out", ...answer } });
    expect(await one.exec("web", ["nope"])).toEqual({ exitCode, stdout: "out", stderr: answer.stderr });
  });

  test("the arguments are passed as they are, and stdin only where there is some", async () => {
    const sent: Sent[] = [];
    const one = provider({ inspect }, sent);
    await one.exec("web", ["printf", "%s", "$(id); --x"]);
    await one.exec("web", ["cat"], { stdin: "text" });
    const execs = sent.filter(({ args }) => args[0] === "exec");
    expect(execs.map(({ args }) => args)).toEqual([
      ["exec", "web", "printf", "%s", "$(id); --x"],
      ["exec", "--interactive", "web", "cat"],
    ]);
    expect(execs[1]?.options.stdin).toBe("text");
  });

  test("in a container that is gone or stopped is refused", async () => {
    expect(await failure(provider({}).exec("web", ["true"]))).toMatchObject({ code: "NOT_FOUND", effect: "none" });
    const one = provider({ inspect: { stdout: JSON.stringify([stopped]) } });
    expect(await failure(one.exec("web", ["true"]))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
    expect(await failure(one.exec("web", []))).toMatchObject({ code: "INVALID_SPEC" });
  });
});
