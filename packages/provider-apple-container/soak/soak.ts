// `soak.ts --count N --seed S`: kills processes that make a cluster with SIGKILL, N times at the beginning of each step and
// 5 N times at moments spread evenly over a measured run, gives the same command again, and looks whether one healthy
// cluster is there with one entry in the kubeconfig, and nothing once it is deleted.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { soakCluster } from "./soak-cluster.ts";

const PROGRAM = fileURLToPath(new URL("./provision-once.ts", import.meta.url));
const MOMENTS_PER_COUNT = 5;

const { count, seed } = settings();
const random = seededRandom(seed);
const hits = new Map<string, { named: number; moment: number }>();
const failures: string[] = [];
let macs = 0;

interface Mac {
  readonly directory: string;
  readonly kubeconfig: string;
  readonly owner: string;
}

function newMac(): Mac {
  const directory = mkdtempSync(join(tmpdir(), "slipway-soak-"));
  return { directory, kubeconfig: join(directory, "kubeconfig"), owner: `soak-${process.pid}-${++macs}` };
}

interface Victim {
  readonly child: ChildProcess;
  /** Resolves when the step begins, or the process ends. */
  readonly at: (step: string) => Promise<void>;
  /** The last step, and whether a signal ended it. */
  readonly ended: Promise<{ readonly step: string; readonly killed: boolean; readonly said: string }>;
}

function startVictim({ directory, kubeconfig, owner }: Mac): Victim {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", PROGRAM, directory, owner, kubeconfig], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const waiting = new Set<() => void>();
  const heard = (chunk: Buffer): void => {
    said += chunk.toString("utf8");
    for (const look of waiting) look();
  };
  child.stdout.on("data", heard);
  child.stderr.on("data", heard);
  const ended = new Promise<Awaited<Victim["ended"]>>((resolve) => {
    child.once("close", (_code, signal) => {
      const step = [...said.matchAll(/^step (\S+)$/gm)].at(-1)?.[1] ?? "none";
      resolve({ step, killed: signal === "SIGKILL", said });
    });
  });
  const at = (step: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!said.includes(`step ${step}\n`)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then(() => resolve());
    });
  return { child, at, ended };
}

/** The same command again, and what is there after it. */
async function repeatAndJudge(mac: Mac, what: string): Promise<void> {
  const { emulator, cluster, config } = await soakCluster(mac.directory, mac.owner, mac.kubeconfig);
  const wrong = (said: string): void => void failures.push(`${what}: ${said}`);
  try {
    const { nodes } = await cluster.provision(config);
    const there = (await emulator.control.instances()).length;
    if (nodes.length !== 1 || there !== 1) wrong(`${nodes.length} nodes are told, and ${there} are there`);
    const argv = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "get", "nodes"];
    const { stdout } = await cluster.execInContainer(nodes[0]?.id ?? "", argv);
    if (stdout.trim().split("\n").length !== 1 || !/ Ready /.test(stdout)) wrong(`kubectl says ${stdout}`);
    const endpoint = await cluster.getApiServerEndpoint(config);
    const text = readFileSync(mac.kubeconfig, "utf8");
    if (text.split(`server: ${endpoint}`).length !== 2) wrong("the kubeconfig does not have the endpoint once");
    await cluster.deleteNodes(nodes);
    if ((await emulator.control.instances()).length > 0) wrong("a container is left");
    if (readFileSync(mac.kubeconfig, "utf8").includes("slipway-soak")) wrong("the kubeconfig still names it");
    if (existsSync(`${mac.kubeconfig}.lock`)) wrong("the kubeconfig is still locked");
  } catch (error) {
    wrong(String(error));
  } finally {
    await emulator.close();
    rmSync(mac.directory, { recursive: true, force: true });
  }
}

function tally(step: string, kind: "named" | "moment"): void {
  const entry = hits.get(step) ?? { named: 0, moment: 0 };
  entry[kind] += 1;
  hits.set(step, entry);
}

async function killAtStep(step: string): Promise<void> {
  const mac = newMac();
  const victim = startVictim(mac);
  await victim.at(step);
  // Not always at its very first instruction.
  await pause(random.next() * 10);
  victim.child.kill("SIGKILL");
  const { step: reached, killed, said } = await victim.ended;
  if (killed) tally(reached, "named");
  else failures.push(`${step}: the process was not killed there: ${said}`);
  await repeatAndJudge(mac, step);
}

async function killAtMoment(delayMs: number): Promise<void> {
  const mac = newMac();
  const victim = startVictim(mac);
  await victim.at("ready");
  await pause(delayMs);
  victim.child.kill("SIGKILL");
  const { step, killed } = await victim.ended;
  tally(killed ? step : "finished", "moment");
  await repeatAndJudge(mac, `moment ${delayMs.toFixed(0)} ms (${step})`);
}

function settings(): { readonly count: number; readonly seed: number } {
  const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
  const [times, from] = [Number(values.count ?? "10"), Number(values.seed ?? "1")];
  if (Number.isInteger(times) && times > 0 && Number.isInteger(from)) return { count: times, seed: from };
  process.stderr.write("--count must be a whole number above 0, and --seed a whole number\n");
  process.exit(2);
}

// An undisturbed run tells the steps, and how long all of them take.
const first = newMac();
const undisturbed = startVictim(first);
await undisturbed.at("ready");
const begun = performance.now();
const { said } = await undisturbed.ended;
const wholeMs = performance.now() - begun;
const steps = [...said.matchAll(/^step (\S+)$/gm)].map(([, name = ""]) => name).filter((name) => name !== "finished");
await repeatAndJudge(first, "undisturbed");

// A signal that comes late finds the process at a later step: so it is tried again.
const TRIES = 5;
for (const step of steps) {
  for (let time = 0; time < count * TRIES && (hits.get(step)?.named ?? 0) < count; time++) await killAtStep(step);
}
const moments = count * MOMENTS_PER_COUNT;
for (let time = 0; time < moments; time++) await killAtMoment((wholeMs * (time + random.next())) / moments);

console.log(`a whole run takes ${wholeMs.toFixed(0)} ms; ${macs} clusters\n`);
console.log("step              killed at it   by a moment");
for (const step of [...steps, "finished"]) {
  const { named, moment } = hits.get(step) ?? { named: 0, moment: 0 };
  console.log(`${step.padEnd(16)} ${String(named).padStart(13)} ${String(moment).padStart(13)}`);
  if (step !== "finished" && named < count) failures.push(`${step} was killed ${named} times only`);
}
for (const failure of failures) console.log(`FAILED  ${failure}`);
console.log(`slipway soak:apple: ${macs - failures.length} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
