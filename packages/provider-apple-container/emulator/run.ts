import { lines, Refusal, usageRefusal } from "./answer.ts";
import { allOf, type OptionSpec, type Parsed, parseArguments, type VerbSpec, valueOf } from "./arguments.ts";
import { isNodeImage } from "./image-reference.ts";
import { fetchImage, PROGRESS } from "./images.ts";
import { boot, type Machine, removeContainer } from "./machine.ts";
import type { ContainerRecord, EmulatedVersion, MachineState, Mounted, PublishedPort } from "./state.ts";
import type { Verb } from "./verb.ts";

const TEXTS: readonly (readonly string[])[] = [
  ["-e", "--env"],
  ["--env-file"],
  ["-u", "--user"],
  ["-w", "--workdir", "--cwd"],
  ["--ulimit"],
  ["-m", "--memory"],
  ["-a", "--arch"],
  ["--cap-add"],
  ["--cap-drop"],
  ["--cidfile"],
  ["--dns"],
  ["--entrypoint"],
  ["-l", "--label"],
  ["--mount"],
  ["--name"],
  ["--network"],
  ["--os"],
  ["-p", "--publish"],
  ["--platform"],
  ["--scheme"],
  ["--tmpfs"],
  ["-v", "--volume"],
];
const SWITCHES: readonly (readonly string[])[] = [
  ["-i", "--interactive"],
  ["-t", "--tty"],
  ["-d", "--detach"],
  ["--init"],
  ["--no-dns"],
  ["--read-only"],
  ["--rm", "--remove"],
  ["--rosetta"],
  ["--ssh"],
  ["--virtualization"],
  ["--debug"],
];
const SINCE: readonly { readonly option: OptionSpec; readonly versions: readonly EmulatedVersion[] }[] = [
  { option: { names: ["--shm-size"], value: "text" }, versions: ["1.0.0", "1.2.2", "1.4.1"] },
  { option: { names: ["--kernel-arg"], value: "text" }, versions: ["1.2.2", "1.4.1"] },
  { option: { names: ["--masked-path"], value: "text" }, versions: ["1.2.2", "1.4.1"] },
  { option: { names: ["--read-only-path"], value: "text" }, versions: ["1.2.2", "1.4.1"] },
];

function specOf(verb: "run" | "create", version: EmulatedVersion): VerbSpec {
  return {
    options: [
      ...TEXTS.map((names) => ({ names, value: "text" as const })),
      ...SWITCHES.map((names) => ({ names })),
      { names: ["-c", "--cpus"], value: "int" },
      { names: ["--uid"], value: "int" },
      { names: ["--gid"], value: "int" },
      ...(verb === "run" ? [{ names: ["--progress"], value: PROGRESS }] : []),
      ...SINCE.filter(({ versions }) => versions.includes(version)).map(({ option }) => option),
    ],
    needs: ["image"],
    restFrom: 1,
  };
}

const UNITS = "bkmgtp";

/** Without a suffix it is bytes; the units are powers of 1024. */
export function sizeOf(text: string): number {
  const [, number, unit = "b"] = /^(\d+(?:\.\d+)?)([bkmgtp])?(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined) throw new Refusal("invalid size");
  return Math.floor(Number(number) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
}

/** Split at most twice, empty parts dropped: that is how a value loses its `=`. */
export function labelsOf(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((label) => {
      const first = label.indexOf("=");
      const second = first === -1 ? -1 : label.indexOf("=", first + 1);
      const cut =
        second === -1
          ? [label.slice(0, first === -1 ? undefined : first), first === -1 ? "" : label.slice(first + 1)]
          : [label.slice(0, first), label.slice(first + 1, second), label.slice(second + 1)];
      const parts = cut.filter((part) => part !== "");
      if (parts.length > 2) throw new Refusal(`invalid label format ${label}`);
      const [name, value = ""] = parts;
      if (name === undefined) throw new Refusal("label cannot be an empty string");
      return [name, value];
    }),
  );
}

function portOf(text: string): PublishedPort {
  const match = /^(?:(\d+\.\d+\.\d+\.\d+):)?(\d+):(\d+)(?:\/(\w+))?$/.exec(text);
  if (match === null) throw new Refusal(`invalid publish value: ${text}`);
  const [, hostAddress = "0.0.0.0", hostPort, containerPort, proto = "tcp"] = match;
  if (proto !== "tcp" && proto !== "udp") throw new Refusal(`invalid publish protocol: ${proto}`);
  if (Number(hostPort) > 65_535) throw new Refusal(`invalid publish host port: ${hostPort}`);
  if (Number(containerPort) > 65_535) throw new Refusal(`invalid publish container port: ${containerPort}`);
  return { hostAddress, hostPort: Number(hostPort), containerPort: Number(containerPort), proto };
}

function portsOf(given: readonly string[]): readonly PublishedPort[] {
  const ports = given.map(portOf);
  const seen = ports.map(({ hostPort, proto }) => `${hostPort}/${proto}`);
  if (new Set(seen).size < seen.length) {
    throw new Refusal("host ports for different publish port specs may not overlap");
  }
  return ports;
}

function volumeMount(text: string): Mounted {
  const [source = "", destination, ...more] = text.split(":");
  if (destination === undefined || !destination.startsWith("/") || more.length > 1) {
    throw new Refusal(`invalid volume format ${text}`);
  }
  if (source.startsWith("/")) return { kind: "bind", source, destination };
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(source)) throw new Refusal(`invalid volume name '${source}': must match …`);
  return { kind: "volume", source, destination };
}

function networkOf(name: string | undefined, { macos, networks }: MachineState): string {
  if (name === undefined || name === "default") return "default";
  if (name === "none") return name;
  if (macos === 15) throw new Refusal("non-default network configuration requires macOS 26 or newer");
  if (!networks.includes(name)) throw new Refusal(`network ${name} not found`);
  return name;
}

const LEAST_MEMORY_BYTES = 200 * 1024 ** 2;
const DEFAULT_MEMORY_BYTES = 1024 ** 3;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** What an image runs where nothing is asked for. */
const NODE_ENTRYPOINT: readonly string[] = ["/opt/node/bin/entrypoint", "/sbin/init"];

/** Everything but the image: it is fetched before the rest is looked at. */
function recordOf(parsed: Parsed, id: string, image: string, state: MachineState, now: number): ContainerRecord {
  const memory = valueOf(parsed, "--memory");
  const memoryBytes = memory === undefined ? DEFAULT_MEMORY_BYTES : sizeOf(memory);
  if (memoryBytes < LEAST_MEMORY_BYTES) {
    throw new Refusal(`minimum memory amount allowed is 200 MiB (got ${memoryBytes} bytes)`);
  }
  const tmpfs = allOf(parsed, "--tmpfs").map((destination) => ({
    kind: "tmpfs" as const,
    source: "tmpfs",
    destination,
  }));
  return {
    id,
    image,
    labels: labelsOf(allOf(parsed, "--label")),
    cpus: Number(valueOf(parsed, "--cpus") ?? 4),
    memoryBytes,
    ports: portsOf(allOf(parsed, "--publish")),
    mounts: [...allOf(parsed, "--volume").map(volumeMount), ...tmpfs],
    network: networkOf(valueOf(parsed, "--network"), state),
    environment: allOf(parsed, "--env"),
    argv: argvOf(parsed, image),
    capAdd: allOf(parsed, "--cap-add"),
    useInit: allOf(parsed, "--init").length > 0,
    removeAfter: allOf(parsed, "--rm").length > 0,
    createdAt: now,
  };
}

function argvOf(parsed: Parsed, image: string): readonly string[] {
  const given = parsed.words.slice(1);
  const entrypoint = valueOf(parsed, "--entrypoint");
  if (entrypoint !== undefined) return [entrypoint, ...given];
  if (isNodeImage(image)) return given.length > 0 ? [NODE_ENTRYPOINT[0] ?? "", ...given] : NODE_ENTRYPOINT;
  return given.length > 0 ? given : ["/bin/sh"];
}

let anonymous = 0;

async function make(machine: Machine, verb: "run" | "create", args: readonly string[]): Promise<ContainerRecord> {
  const state = await machine.store.read();
  const parsed = parseArguments(verb, specOf(verb, state.version), args);
  const scheme = valueOf(parsed, "--scheme");
  if (scheme === "auto" && state.version === "1.4.1") {
    throw usageRefusal(verb, "The value 'auto' is invalid for '--scheme <scheme>'");
  }
  const id = valueOf(parsed, "--name") ?? `anonymous-${process.pid}-${++anonymous}`;
  if (!NAME.test(id) || id.length > 63) {
    const old = state.version === "1.0.0" || state.version === "0.12.3";
    throw new Refusal(old ? `invalid entity name ${id}` : `container ID ${id} is not a valid container ID`);
  }
  if (verb === "run" && state.containers[id] !== undefined) throw new Refusal(`container with id ${id} already exists`);
  const image = await fetchImage(machine, parsed.words[0] ?? "");
  return await machine.store.update((draft) => {
    const record = recordOf(parsed, id, image, draft, machine.clock.now());
    if (draft.containers[id] !== undefined) throw new Refusal(`container already exists: ${id}`);
    draft.containers[id] = record;
    for (const { kind, source } of record.mounts) {
      if (kind !== "volume" || draft.volumes[source] !== undefined) continue;
      draft.volumes[source] = { name: source, labels: {}, sizeBytes: 512 * 1024 ** 3, createdAt: record.createdAt };
    }
    draft.changes += 1;
    return record;
  });
}

export const runVerbs: Readonly<Record<string, Verb>> = {
  create: async (machine, args) => lines((await make(machine, "create", args)).id),
  run: async (machine, args) => {
    const { id } = await make(machine, "run", args);
    try {
      await boot(machine, id);
    } catch (error) {
      await removeContainer(machine, id);
      throw error;
    }
    return lines(id);
  },
};
