import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "@slipway/core";
import type { StateStore } from "@slipway/provider-kit/emulator";
import {
  detectIsolation,
  endSandbox,
  type IsolationReport,
  makeBindTarget,
  SandboxError,
  type SandboxLayout,
  sandboxLayout,
  sandboxState,
  startSandbox,
} from "@slipway/provider-kit/sandbox";
import { Refusal } from "./answer.ts";
import { digestOf, isNodeImage } from "./image-reference.ts";
import { installNode, nodeEnvironment, takeStep } from "./node-image.ts";
import { type ContainerRecord, type MachineState, takeAddress } from "./state.ts";

/** The Mac: what is remembered, and where the containers' processes run. */
export interface Machine {
  readonly store: StateStore<MachineState>;
  readonly clock: Clock;
  /** Everything that lies on a disk. */
  readonly directory: string;
  readonly escapeSlashes: boolean;
  /** Is a port of 127.0.0.1 taken by a program of this host? */
  readonly isPortTaken: (port: number) => Promise<boolean>;
  /** Keeps simulated time where it is while real processes work. */
  readonly real: <T>(work: () => Promise<T>) => Promise<T>;
}

let report: IsolationReport | undefined;

export function isolationOf(): Promise<IsolationReport> | IsolationReport {
  return report ?? detectIsolation().then((found) => (report = found));
}

export function sandboxOf(machine: Machine, id: string): { readonly id: string; readonly directory: string } {
  return {
    id: `container-${digestOf(machine.directory).slice(0, 12)}-${id}`,
    directory: join(machine.directory, "containers", id),
  };
}

export function layoutOf(machine: Machine, id: string): SandboxLayout {
  return sandboxLayout(sandboxOf(machine, id).directory);
}

/** Boots a container that is there: after the time that it takes its first process runs. */
export async function boot(machine: Machine, id: string): Promise<void> {
  const { delays } = await machine.store.read();
  await machine.clock.sleep(delays.bootMs);
  await machine.real(() =>
    machine.store.update(async (draft) => {
      const record = mustHave(draft, id);
      if (record.sandbox !== undefined) return;
      await checkPorts(machine, draft, record);
      record.ipv4 = takeAddress(draft);
      const started = await startProcess(machine, draft, record).catch((error: unknown) => {
        // Its first process has begun, and ended before anybody could look at it.
        if (error instanceof SandboxError && error.message.endsWith("its process is gone")) return null;
        if (error instanceof SandboxError && error.reason === "invalid") throw badPlace(error.message);
        throw error;
      });
      record.startedAt = machine.clock.now();
      if (started === null) forgetProcess(draft, record);
      else record.sandbox = started;
      draft.changes += 1;
    }),
  );
}

async function startProcess(
  machine: Machine,
  draft: MachineState,
  record: ContainerRecord,
): Promise<NonNullable<ContainerRecord["sandbox"]>> {
  const isolation = await isolationOf();
  const own = sandboxOf(machine, record.id);
  const layout = sandboxLayout(own.directory);
  await endLeftOver(own);
  rmSync(layout.log, { force: true });
  mkdirSync(layout.root, { recursive: true });
  const volumes = record.mounts
    .filter(({ kind }) => kind === "volume")
    .map(({ source, destination }) => ({ source: volumeDirectory(machine, source), target: destination }));
  for (const { source } of volumes) mkdirSync(source, { recursive: true });
  const separate = isolation.isolation === "bubblewrap";
  if (!separate) for (const { source, target } of volumes) linkInto(layout.root, source, target);
  const argv = movedInto(layout, isolation, record.argv);
  const node = isNodeImage(record.image);
  if (node) installNode(layout.root);
  else if (!isThere(layout.root, argv[0] ?? "")) throw missingProgram(argv[0] ?? "");
  const step = node ? takeStep(draft, record.id, "init") : undefined;
  return await startSandbox({
    ...own,
    isolation,
    argv,
    environment: { ...environmentOf(machine, isolation, record), ...nodeEnvironment(record, step) },
    hostname: record.id,
    binds: separate ? volumes : [],
  });
}

/** A start that was cut off may have left a process that nobody noted. Where none was ever begun there is nothing to look for. */
async function endLeftOver(own: { readonly id: string; readonly directory: string }): Promise<void> {
  if (existsSync(sandboxLayout(own.directory).status)) await endSandbox(own);
}

/** Something of the container's own stands where a file of ours or a volume belongs. The real text is not known. */
function badPlace(said: string): Refusal {
  return new Refusal(`failed to bootstrap container (cause: "internalError: "${said}"")`);
}

function missingProgram(name: string): Refusal {
  return new Refusal(
    `failed to bootstrap container (cause: "internalError: "failed to find target executable ${name}"")`,
  );
}

const PATH: readonly string[] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

function isThere(root: string, program: string): boolean {
  if (program.startsWith("/")) return existsSync(program) || existsSync(join(root, program));
  return PATH.some((folder) => existsSync(join(folder, program)));
}

export function volumeDirectory(machine: Machine, name: string): string {
  return join(machine.directory, "volumes", name);
}

function linkInto(root: string, source: string, target: string): void {
  const path = join(root, target);
  makeBindTarget(root, dirname(target), true);
  if (existsSync(path)) return;
  symlinkSync(source, path);
}

/** What every process in the container finds. */
export function environmentOf(
  machine: Machine,
  { isolation }: IsolationReport,
  record: ContainerRecord,
): Record<string, string> {
  const entries = record.environment.map((each) => {
    const at = each.indexOf("=");
    return [each.slice(0, at), each.slice(at + 1)] as const;
  });
  const { root } = layoutOf(machine, record.id);
  const moved = { SLIPWAY_BOOTSTRAP_DIR: join(root, "var/lib/slipway/bootstrap") };
  const nodePath = isolation === "bubblewrap" ? "/opt/node/bin" : join(root, "opt/node/bin");
  const path = isolation === "bubblewrap" ? PATH.join(":") : (process.env["PATH"] ?? PATH.join(":"));
  return {
    ...Object.fromEntries(entries),
    ...(isolation === "bubblewrap" ? {} : moved),
    ...(isNodeImage(record.image) ? { PATH: `${nodePath}:${path}` } : {}),
  };
}

// Where the processes see the host's own root, these would be the host's.
const MOVED: readonly string[] = ["/var/lib/slipway", "/etc/kubernetes", "/kind", "/opt/node", "/run/containerd"];

/** The words of a command as they have to be where this host has no bubblewrap: what is the container's own lies below its root. */
export function movedInto(
  layout: SandboxLayout,
  { isolation }: IsolationReport,
  argv: readonly string[],
): readonly string[] {
  if (isolation === "bubblewrap") return argv;
  const paths = new RegExp(`(?<![\\w./-])(?=(?:${MOVED.join("|")})(?![\\w-]))`, "g");
  return argv.map((word) => word.replace(paths, layout.root));
}

async function checkPorts(machine: Machine, state: MachineState, record: ContainerRecord): Promise<void> {
  const others = Object.values(state.containers).filter(({ id, sandbox }) => id !== record.id && sandbox !== undefined);
  const refused = (said: string): Refusal => new Refusal(`failed to bootstrap container (cause: "${said}")`);
  for (const { hostPort, proto } of record.ports) {
    if (hostPort < 1024) {
      const why = "Binding to ports below 1024 requires root privileges.";
      throw refused(`internalError: "Permission denied while binding to host port ${hostPort}. ${why}"`);
    }
    const inside = others.some(({ ports }) =>
      ports.some((other) => other.hostPort === hostPort && other.proto === proto),
    );
    if (inside || (proto === "tcp" && (await machine.isPortTaken(hostPort)))) {
      throw refused('unknown: "bind(descriptor:ptr:bytes:): Address already in use (errno: 48)"');
    }
  }
}

/** Ends the processes; the container stays. */
export async function halt(machine: Machine, id: string): Promise<void> {
  await machine.real(() =>
    machine.store.update(async (draft) => {
      const record = draft.containers[id];
      if (record?.sandbox === undefined) return;
      await endSandbox(sandboxOf(machine, id));
      forgetProcess(draft, record);
      draft.changes += 1;
    }),
  );
}

export async function removeContainer(machine: Machine, id: string): Promise<void> {
  await machine.real(() =>
    machine.store.update(async (draft) => {
      if (draft.containers[id] === undefined) return;
      const own = sandboxOf(machine, id);
      await endSandbox(own);
      rmSync(own.directory, { recursive: true, force: true });
      delete draft.containers[id];
      draft.changes += 1;
    }),
  );
}

/** Notes which first processes have ended by themselves since the last look. */
export async function noticeEnds(machine: Machine): Promise<void> {
  const { containers } = await machine.store.read();
  for (const { id, sandbox } of Object.values(containers)) {
    if (sandbox === undefined || (await sandboxState(sandbox)) === "alive") continue;
    await machine.real(() =>
      machine.store.update((draft) => {
        const record = draft.containers[id];
        if (record?.sandbox?.process.pid === sandbox.process.pid) forgetProcess(draft, record);
      }),
    );
  }
}

/** With `--rm` that is the end of the container too. */
function forgetProcess(draft: MachineState, record: ContainerRecord): void {
  delete record.sandbox;
  delete record.ipv4;
  if (record.removeAfter) delete draft.containers[record.id];
}

function mustHave(state: MachineState, id: string): ContainerRecord {
  const record = state.containers[id];
  if (record === undefined) throw new Refusal(`get failed: container ${id} not found`);
  return record;
}
