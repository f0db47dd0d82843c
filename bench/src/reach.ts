// `npm run bench:reach [-- --quick]`: a session beside plain `ssh` and `scp` into the same machine, fifty commands at once, and
// how long `slipway run` takes to its first output, on local and on an emulated cloud whose machines are real.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { memoryStore } from "@slipway/control";
import { type Provider, type SshEndpoint, systemClock } from "@slipway/core";
import { type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { local } from "@slipway/provider-local";
import { type Session, type SshAccess, withInstance } from "@slipway/reach";
import { interleaved, median, timed } from "./measure.ts";
import { type Aim, atMost, medianOf, rowsOf, type Suite, tableOf } from "./report.ts";

const QUICK = process.argv.includes("--quick");
const MEGABYTES = QUICK ? 20 : 100;
const FILES = 2000;
const AT_ONCE = 50;

const run = promisify(execFile);

/** What a person types: OpenSSH with a shared connection, and the key alone. */
class Plain {
  readonly target: string;
  readonly #options: readonly string[];
  readonly #port: number;

  constructor(directory: string, identityFile: string, { host, port, user }: SshEndpoint) {
    this.target = `${user}@${host}`;
    this.#port = port;
    const settings = {
      BatchMode: "yes",
      IdentitiesOnly: "yes",
      StrictHostKeyChecking: "no",
      UserKnownHostsFile: "/dev/null",
      LogLevel: "ERROR",
      ControlMaster: "no",
      ControlPath: join(directory, "plain"),
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    this.#options = ["-F", "none", "-i", identityFile, ...options];
  }

  async open(): Promise<void> {
    // Of an option that stands twice ssh takes the first.
    const words = ["-p", String(this.#port), "-o", "ControlMaster=yes", ...this.#options, "-N", "-f", this.target];
    const child = spawn("ssh", words, { stdio: "ignore" });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`ssh ended with ${String(code)}`);
  }

  ssh(...words: readonly string[]): Promise<unknown> {
    return run("ssh", ["-p", String(this.#port), ...this.#options, this.target, ...words]);
  }

  scp(...words: readonly string[]): Promise<unknown> {
    return run("scp", ["-O", "-q", "-P", String(this.#port), ...this.#options, ...words]);
  }

  close(): Promise<unknown> {
    return run("ssh", [...this.#options, "-O", "exit", this.target]);
  }
}

async function beside(
  title: string,
  names: readonly [string, string],
  work: readonly [() => Promise<unknown>, () => Promise<unknown>],
  rounds: number,
  limit: number,
): Promise<Suite> {
  const [ours, plain] = names;
  const samples = await interleaved(
    [
      { name: plain, sample: () => timed(work[1]) },
      { name: ours, sample: () => timed(work[0]) },
    ],
    rounds,
  );
  const rows = rowsOf(samples, plain);
  // The quickest of each: what is left of it on a machine that has other work.
  const least = (name: string): number => rows.find((row) => row.name === name)?.least ?? Number.NaN;
  const aims: Aim[] = [
    atMost(`${ours} / ${plain}, median`, medianOf(rows, ours) / medianOf(rows, plain), limit),
    atMost(`${ours} / ${plain}, quickest`, least(ours) / least(plain), limit),
  ];
  return { title, unit: "ms", rows, aims, notes: [] };
}

async function sessions(session: Session, plain: Plain, directory: string): Promise<readonly Suite[]> {
  const file = join(directory, "big");
  await writeFile(file, randomBytes(MEGABYTES * 1_000_000));
  let copies = 0;
  const many = join(directory, "many");
  await mkdir(many);
  for (let at = 0; at < FILES; at += 1) await writeFile(join(many, `file-${at}`), randomBytes(500).toString("hex"));
  const suites = [
    await beside(
      "a command over the shared connection",
      ["session.exec", "ssh"],
      [() => session.exec(["true"]), () => plain.ssh("true")],
      QUICK ? 5 : 30,
      1.3,
    ),
    await beside(
      `${MEGABYTES} MB that cannot be compressed, to the machine`,
      ["session.upload", "scp"],
      [() => session.upload(file, "big"), () => plain.scp(file, `${plain.target}:big-plain`)],
      QUICK ? 2 : 5,
      1.5,
    ),
    await beside(
      `${FILES} files of 1 kB, to a new directory of the machine`,
      ["session.upload", "scp -r"],
      [() => session.upload(many, `new-${++copies}`), () => plain.scp("-r", many, `${plain.target}:new-${++copies}`)],
      QUICK ? 1 : 4,
      1,
    ),
    // tar removes a file and makes it anew, where scp writes into it.
    await beside(
      `${FILES} files of 1 kB, over those that are there`,
      ["session.upload", "scp -r"],
      [() => session.upload(many, "many"), () => plain.scp("-r", many, `${plain.target}:`)],
      QUICK ? 1 : 4,
      1,
    ),
  ];
  let right = 0;
  const taken = await timed(async () => {
    const codes = Array.from({ length: AT_ONCE }, async (_, at) => {
      const { exitCode } = await session.exec(["/bin/sh", "-c", `exit ${at}`]);
      if (exitCode === at) right += 1;
    });
    await Promise.all(codes);
  });
  const wrong = { ...atMost(`wrong exit codes of ${AT_ONCE} at once`, AT_ONCE - right, 0), isCount: true };
  const rows = [{ name: `${AT_ONCE} commands at once`, median: taken }];
  return [...suites, { title: "commands at once", unit: "ms", rows, aims: [wrong], notes: [`${right} of ${AT_ONCE}`] }];
}

async function firstOutput(provider: Provider, spec: string | undefined, access: SshAccess): Promise<number> {
  const begun = performance.now();
  const machine = { ...(spec === undefined ? {} : { spec }), bootstrap: { script: "true" } };
  return await withInstance(provider, machine, { store: memoryStore(), access }, async (session) => {
    const seen = Promise.withResolvers<number>();
    const onStdout = (): void => seen.resolve(performance.now() - begun);
    await session.exec(["echo", "up"], { onStdout });
    return await seen.promise;
  });
}

/** What an emulated machine costs: from its making to its ssh server's first word, and the memory of its processes. */
async function machineCosts(machines: OpenMachines): Promise<Suite> {
  const [starts, bytes]: [number[], number[]] = [[], []];
  const ids = Array.from({ length: QUICK ? 3 : 20 }, (_, at) => `costs-${at}`);
  for (const id of ids) {
    const address = machines.newAddress();
    const begun = performance.now();
    await machines.create({ id, address, userData: "", sshKeys: [] });
    const endpoint = machines.endpoint({ host: address, port: 22, user: "ubuntu" });
    if (endpoint === undefined) throw new Error("the machine shows no endpoint");
    const socket = connect(endpoint.port, endpoint.host);
    await once(socket, "data");
    starts.push(performance.now() - begun);
    socket.destroy();
  }
  // Of an ssh server that is asked nothing.
  for (const id of ids) bytes.push(await sharedMemoryOf(id));
  for (const id of ids) await machines.end(id);
  const name = "an emulated machine";
  const notes = [`memory of one ${(median(bytes) / 2 ** 20).toFixed(1)} MiB (proportional share), of ${ids.length}`];
  return {
    title: "from making a machine to its ssh server's first word",
    unit: "ms",
    rows: rowsOf(new Map([[name, starts]]), name),
    aims: [],
    notes,
  };
}

/** Bytes of all processes below the one whose environment names the machine; what processes share counts in parts. */
async function sharedMemoryOf(id: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  // sshd writes its title over its environment, so it is known by its parent.
  const own = new Set<string>();
  let kilobytes = 0;
  for (const pid of pids) {
    const text = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
    const parent = /^PPid:\s+(\d+)$/m.exec(await text("status"))?.[1] ?? "";
    if (!own.has(parent) && !(await text("environ")).includes(id)) continue;
    own.add(pid);
    kilobytes += Number(/^Pss:\s+(\d+) kB$/m.exec(await text("smaps_rollup"))?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

async function main(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-reach-"));
  const machines = await openMachines("light");
  if (machines === null) throw new Error("there are no machines here");
  const identityFile = join(directory, "key");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
  const access: SshAccess = { identityFile, endpoint: machines.endpoint };
  const lag = { latencyMs: 0, bootMs: 0, endMs: 0, listedAfterEndMs: 0, readableAfterEndMs: 0, limits: null };
  const emulator = lambdaEmulator({ ...lag, clock: systemClock, machines });
  const settings = { readAfterWriteMs: 0, requestsPerSecond: 1000, secondsPerLaunch: 0.001 };
  const cloud = lambda({
    ...{ owner: "bench", apiKey: EMULATOR_API_KEY, ...settings, runtime: { fetch: emulator.fetch } },
  });
  const here = local({ owner: "bench", stateDirectory: join(directory, "local") });
  try {
    const control = { store: memoryStore(), access };
    const suites = await withInstance(cloud, { spec: "gpu_1x_a10" }, control, async (session, instance) => {
      const endpoint = machines.endpoint(instance.ssh);
      if (endpoint === undefined) throw new Error("the machine shows no endpoint");
      const plain = new Plain(directory, identityFile, endpoint);
      await plain.open();
      const measured = await sessions(session, plain, directory);
      await plain.close();
      return measured;
    });
    const samples = await interleaved(
      [
        { name: "local", sample: () => firstOutput(here, undefined, access) },
        { name: "an emulated cloud without lag", sample: () => firstOutput(cloud, "gpu_1x_a10", access) },
      ],
      QUICK ? 1 : 5,
    );
    const title = "from the launch to the first output, with a bootstrap";
    const all = [
      ...suites,
      await machineCosts(machines),
      { title, unit: "ms", rows: rowsOf(samples, "local"), aims: [], notes: [] } as const,
    ];
    for (const suite of all) process.stdout.write(`${tableOf(suite)}\n\n`);
    process.stdout.write(
      `load ${loadavg()
        .map((load) => load.toFixed(1))
        .join(" ")}\n`,
    );
    return all.flatMap(({ aims }) => aims).some(({ isCount, met }) => isCount === true && !met) ? 1 : 0;
  } finally {
    await machines.close();
    await rm(directory, { recursive: true, force: true });
  }
}

process.exitCode = await main();
