import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ContainerEmulator, containerEmulator } from "../emulator/index.ts";

let emulator: ContainerEmulator;
beforeEach(() => {
  emulator = containerEmulator();
});
afterEach(() => emulator.close());

const container = (...argv: readonly string[]) => emulator.container(argv);
const run = (name: string, ...argv: readonly string[]) =>
  container("run", "--detach", "--name", name, "alpine", ...(argv.length === 0 ? ["sleep", "1000"] : argv));
const state = async (name: string): Promise<Record<string, unknown>> => {
  const [element] = JSON.parse((await container("inspect", name)).stdout) as {
    readonly status: Record<string, unknown>;
  }[];
  return element?.status ?? {};
};

describe("states", () => {
  test("created, running, exited, and running again at another address", async () => {
    expect(await container("create", "--name", "a1", "alpine", "sleep", "1000")).toEqual({
      stdout: "a1\n",
      stderr: "",
      code: 0,
    });
    expect(await state("a1")).toEqual({ networks: [], state: "stopped" });
    expect(await container("start", "a1")).toMatchObject({ stdout: "a1\n", code: 0 });
    const first = await state("a1");
    expect(first).toMatchObject({
      state: "running",
      startedDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(await container("start", "a1")).toMatchObject({ stdout: "a1\n", code: 0 });
    expect(await container("stop", "a1")).toMatchObject({ stdout: "a1\n", code: 0 });
    expect(await state("a1")).toMatchObject({ networks: [], state: "stopped", startedDate: first["startedDate"] });
    expect(await container("stop", "a1")).toMatchObject({ code: 0 });
    await container("start", "a1");
    expect((await state("a1"))["networks"]).not.toEqual(first["networks"]);
  });

  test("a first process that ends by itself ends the container, and with --rm takes it away", async () => {
    await run("short", "true");
    await container("run", "--detach", "--rm", "--name", "gone", "alpine", "true");
    await expect.poll(async () => (await state("short"))["state"]).toBe("stopped");
    await expect.poll(async () => (await container("inspect", "gone")).code).toBe(1);
  });

  test("the disk outlives a stop, and not a delete", async () => {
    await run("disk");
    await container("exec", "disk", "sh", "-c", "echo kept >$HOME/file");
    await container("stop", "disk");
    await container("start", "disk");
    expect((await container("exec", "disk", "sh", "-c", "cat $HOME/file")).stdout).toBe("kept\n");
    await container("delete", "--force", "disk");
    await run("disk");
    expect((await container("exec", "disk", "sh", "-c", "cat $HOME/file")).code).not.toBe(0);
  });

  test("a restart of the service forgets when things began", async () => {
    await run("one");
    await emulator.control.restartDaemon();
    expect(await state("one")).toEqual({ networks: [], state: "stopped" });
  });
});

/** Word for word, with the exit code. */
const REFUSALS: readonly (readonly [argv: string, said: string | RegExp, code: number])[] = [
  ["inspect none", "Error: container not found: none\n", 1],
  ["inspect there none", "Error: container not found: none\n", 1],
  ["start none", "Error: get failed: container none not found\n", 1],
  ["exec none true", "Error: get failed: container none not found\n", 1],
  [
    "stop none",
    'Error: internalError: "failed to stop container" (cause: "notFound: "container with ID none not found"")\n',
    1,
  ],
  [
    "delete --force none",
    'Error: internalError: "failed to delete container" (cause: "notFound: "container with ID none not found"")\n',
    1,
  ],
  [
    "delete there",
    'Error: internalError: "failed to delete container" (cause: "invalidState: "container there is running and can not be deleted"")\n',
    1,
  ],
  ["run --detach --name there alpine", "Error: container with id there already exists\n", 1],
  ["create --name there alpine", "Error: container already exists: there\n", 1],
  ["run --memory 512 alpine", "Error: minimum memory amount allowed is 200 MiB (got 512 bytes)\n", 1],
  ["run --label a=b=c alpine", "Error: invalid label format a=b=c\n", 1],
  ["run --cpus 1.5 alpine", /^Error: The value '1\.5' is invalid for '-c, --cpus <cpus>'\nUsage: container run/, 64],
  ["run --privileged alpine", /^Error: Unknown option '--privileged'\n/, 64],
  ["run", /^Error: Missing expected argument '<image>'\n/, 64],
  ["run --name", /^Error: Missing value for '--name <name>'\n/, 64],
  ["list surplus", /^Error: Unexpected argument 'surplus'\n/, 64],
  ["run -p 80:80 alpine sleep 9", /Permission denied while binding to host port 80/, 1],
  ["run -p 127.0.0.1:x:80 alpine", "Error: invalid publish value: 127.0.0.1:x:80\n", 1],
  ["run -p 8080:80 -p 8080:81 alpine", "Error: host ports for different publish port specs may not overlap\n", 1],
  ["run --network none-such alpine", "Error: network none-such not found\n", 1],
  ["run nope", /401 Unauthorized\. Reason: .*no credentials found for host/, 1],
  ["run Not/An/Image", /^Error: invalid format for image reference/, 1],
  ["run alpine /no/such/program", /failed to find target executable \/no\/such\/program/, 1],
  ["image inspect alpine:none", "Error: image not found: alpine:none\n", 1],
  ["volume delete none", 'Error: failed to delete one or more volumes: ["none"]\n', 1],
  ["k8s list", /^Error: Plugin 'container-k8s' not found\./, 64],
  ["kill", "Error: no containers specified and --all not supplied\n", 1],
];

describe("refusals", () => {
  test.each(REFUSALS)("%s", async (argv, said, code) => {
    await run("there");
    const before = await emulator.control.instances();
    const answer = await container(...argv.split(" "));
    expect(answer).toMatchObject({ code, stdout: "" });
    if (typeof said === "string") expect(answer.stderr).toBe(said);
    else expect(answer.stderr).toMatch(said);
    expect((await emulator.control.instances()).map(({ nativeId }) => nativeId)).toEqual(
      before.map(({ nativeId }) => nativeId),
    );
  });

  test("the good ids are on stdout beside the bad one's error", async () => {
    await run("good");
    const answer = await container("stop", "good", "bad");
    expect(answer).toMatchObject({ stdout: "good\n", code: 1 });
    expect(answer.stderr).toContain("container with ID bad not found");
  });

  test.each([
    ["a=b=", { a: "b" }],
    ["a==b", { a: "b" }],
    ["=v", { v: "" }],
    ["alone", { alone: "" }],
  ])("the label %s is kept as %j", async (label, kept) => {
    await container("run", "--detach", "--name", "la", "--label", label, "alpine", "sleep", "9");
    expect((await emulator.control.instances())[0]?.labels).toEqual(kept);
  });
});

describe("the service", () => {
  test.each([
    ["list", "failed to list containers"],
    ["inspect x", "failed to list containers"],
    ["delete x", "failed to delete container"],
  ])("down: %s wraps it", async (argv, outer) => {
    await emulator.control.setService("unregistered");
    expect((await container(...argv.split(" "))).stderr).toBe(
      `Error: internalError: "${outer}" (cause: "interrupted: "XPC connection error: Connection invalid"")\nEnsure container system service has been started with \`container system start\`.\n`,
    );
  });

  test("down: the status is JSON on stdout all the same, and the version needs no service", async () => {
    await emulator.control.setService("not running");
    const status = await container("system", "status", "--format", "json");
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout)).toMatchObject({ status: "not running" });
    expect(await container("--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^container CLI version 1\.2\.2 /),
    });
    expect((await container("k8s", "list")).code).toBe(64);
  });

  test("started without a word on the kernel asks, and nobody answers", async () => {
    await emulator.control.setService("unregistered");
    expect(await container("system", "start")).toMatchObject({ code: 1, stderr: "Error: failed to read user input\n" });
    await emulator.control.setService("unregistered");
    expect(await container("system", "start", "--enable-kernel-install")).toMatchObject({ code: 0 });
    expect((await container("list")).code).toBe(0);
  });
});

describe("inside", () => {
  test("exit codes, streams and arguments pass through; stdin only with -i", async () => {
    await run("in");
    expect(await container("exec", "in", "sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({
      stdout: "out\n",
      stderr: "err\n",
      code: 7,
    });
    expect((await container("exec", "in", "echo", "a b", "$HOME", "*")).stdout).toBe("a b $HOME *\n");
    expect((await emulator.container(["exec", "in", "cat"], { stdin: "lost" })).stdout).toBe("");
    expect((await emulator.container(["exec", "-i", "in", "cat"], { stdin: "kept" })).stdout).toBe("kept");
    const bytes = Uint8Array.of(0xff, 0x00, 0xfe, 0x80);
    const dumped = await emulator.container(["exec", "-i", "in", "od", "-An", "-tx1"], { stdin: bytes });
    expect(dumped.stdout.trim()).toBe("ff 00 fe 80");
    const missing = await container("exec", "in", "no-such-program");
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("failed to find target executable no-such-program"),
    });
    await container("stop", "in");
    expect((await container("exec", "in", "true")).stderr).toBe("Error: container in is not running\n");
  });

  test("the log is what the first process printed since the last start", async () => {
    await run("log", "sh", "-c", "echo one; echo; echo two; exec sleep 1000");
    await expect.poll(async () => (await container("logs", "log")).stdout).toBe("one\n\ntwo\n");
    expect((await container("logs", "-n", "1", "log")).stdout).toBe("two\n");
    await container("stop", "log");
    await container("start", "log");
    await expect.poll(async () => (await container("logs", "log")).stdout).toBe("one\n\ntwo\n");
    const missing = await container("logs", "none");
    expect(missing.stderr).toMatch(/^Error: failed to get logs for container none \(cause: /);
  });
});

test("lists: compact and sorted; inspect: pretty, an empty list over three lines", async () => {
  expect((await container("list", "--all", "--format", "json")).stdout).toBe("[]\n");
  expect((await container("list")).stdout).toBe("ID  IMAGE  OS  ARCH  STATE  IP  CPUS  MEMORY  STARTED\n");
  expect((await container("list", "-q")).stdout).toBe("");
  await run("web");
  const { stdout } = await container("list", "--format", "json");
  expect(stdout).toMatch(/^\[\{"configuration":\{"capAdd":\[\],"capDrop":\[\],"creationDate":"/);
  expect(stdout).not.toContain("null");
  expect((await container("inspect", "web")).stdout).toContain('    "capAdd" : [\n\n      ],\n');
  await container("stop", "web");
  expect((await container("list", "--format", "json")).stdout).toBe("[]\n");
  expect((await container("list", "--all", "-q")).stdout).toBe("web\n");
});

test("a port that is taken leaves no container", async () => {
  await container("run", "--detach", "--name", "aa", "-p", "127.0.0.1:18081:80", "alpine", "sleep", "99");
  const second = await container(
    "run",
    "--detach",
    "--name",
    "bb",
    "-p",
    "127.0.0.1:18081:80",
    "alpine",
    "sleep",
    "99",
  );
  expect(second.stderr).toMatch(
    /^Error: failed to bootstrap container \(cause: .*Address already in use \(errno: 48\)/,
  );
  expect((await container("list", "--all", "-q")).stdout).toBe("aa\n");
});

test("a volume's files outlive its containers", async () => {
  await container("volume", "create", "--label", "k=v", "-s", "1g", "data");
  const mounted = ["run", "--detach", "--volume", "data:/data", "--name"];
  await container(...mounted, "aa", "alpine", "sleep", "99");
  const root = emulator.control;
  await container("exec", "aa", "sh", "-c", 'echo kept >"${SLIPWAY_ROOT%/}/data/file"');
  expect((await container("volume", "delete", "data")).stderr).toBe(
    'Error: delete failed for one or more volumes: ["data"]\n',
  );
  await container("delete", "--force", "aa");
  await container(...mounted, "bb", "alpine", "sleep", "99");
  expect((await container("exec", "bb", "sh", "-c", 'cat "${SLIPWAY_ROOT%/}/data/file"')).stdout).toBe("kept\n");
  await container("delete", "--force", "bb");
  await container("volume", "delete", "data");
  expect(await root.volumes()).toEqual([]);
});

test("a fault says what it was told to, after the effect too", async () => {
  await emulator.control.addFaults({ command: "run", does: "vanish" });
  expect(await run("va")).toEqual({ stdout: "", stderr: "", code: null });
  expect((await state("va"))["state"]).toBe("running");
  await emulator.control.addFaults({ command: "list", does: "hang-before" });
  const ended = new AbortController();
  const hanging = emulator.container(["list"], { signal: ended.signal });
  ended.abort(new Error("enough"));
  await expect(hanging).rejects.toThrow("enough");
  expect((await container("list", "-q")).stdout).toBe("va\n");
});
