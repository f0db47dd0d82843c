import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { printed, Refusal, usageRefusal } from "./answer.ts";
import { parseArguments, type VerbSpec, valueOf } from "./arguments.ts";
import { compact, isoDate, pretty } from "./json.ts";
import { halt } from "./machine.ts";
import type { EmulatedVersion, MachineState } from "./state.ts";
import type { Verb } from "./verb.ts";

const COMMIT = "0190097d00000000000000000000000000000000";
const FORMATS: readonly string[] = ["json", "table"];
const STATUS: VerbSpec = { options: [{ names: ["--format"], value: FORMATS }], most: 0 };

export function versionLine(version: EmulatedVersion): string {
  return `container CLI version ${version} (build: release, commit: ${COMMIT.slice(0, 7)})\n`;
}

function serverSentence(version: EmulatedVersion): string {
  return `container-apiserver version ${version} (build: release, commit: ${COMMIT.slice(0, 7)})`;
}

function flatStatus({ service, version }: MachineState): object {
  const up = service === "running";
  return {
    apiServerAppName: up ? "container-apiserver" : "",
    apiServerBuild: up ? "release" : "",
    apiServerCommit: up ? COMMIT : "",
    apiServerVersion: up ? serverSentence(version) : "",
    appRoot: up ? "/Users/me/Library/Application Support/com.apple.container/" : "",
    installRoot: up ? "/usr/local/" : "",
    status: service,
  };
}

function nestedStatus({ service, version, macos, containers, images }: MachineState): object {
  if (service !== "running") return { status: service };
  const build = { build: "release", commit: COMMIT, version };
  const all = Object.values(containers);
  const running = all.filter(({ sandbox }) => sandbox !== undefined).length;
  return {
    client: { appName: "container", ...build },
    host: { architecture: "arm64", cpus: 12, operatingSystem: `macOS ${macos}.1` },
    paths: { appRoot: "/Users/me/Library/Application Support/com.apple.container/", installRoot: "/usr/local/" },
    resources: { containersRunning: running, containersTotal: all.length, images: images.length },
    server: { appName: "container-apiserver", ...build },
    status: service,
  };
}

/** Where the service is down it answers all the same, and exits with 1. */
const status: Verb = async ({ store, escapeSlashes }, args): Promise<ProgramAnswer> => {
  const parsed = parseArguments("system status", STATUS, args);
  const state = await store.read();
  const code = state.service === "running" ? 0 : 1;
  if (valueOf(parsed, "--format") === "json") {
    const answer = state.version === "1.4.1" ? nestedStatus(state) : flatStatus(state);
    return { stdout: compact(answer, escapeSlashes), stderr: "", code };
  }
  const registered = state.service === "unregistered" ? " and not registered with launchd" : "";
  const said = code === 0 ? "FIELD   VALUE\nstatus  running\n" : `apiserver is not running${registered}\n`;
  return { stdout: said, stderr: "", code };
};

export const systemVerbs: Readonly<Record<string, Verb>> = {
  "system status": status,
  "system version": async ({ store, escapeSlashes }, args) => {
    parseArguments("system version", STATUS, args);
    const { version, service } = await store.read();
    const client = { appName: "container", buildType: "release", commit: COMMIT, version };
    const server = { ...client, appName: "container-apiserver", version: serverSentence(version) };
    return printed(compact(service === "running" ? [client, server] : [client], escapeSlashes));
  },
  "system start": async ({ store }, args) => {
    const kernel = [{ names: ["--enable-kernel-install"] }, { names: ["--disable-kernel-install"] }];
    const { values } = parseArguments("system start", { options: kernel, most: 0 }, args);
    await store.update((draft) => {
      draft.service = "running";
    });
    // Without a word on the kernel it asks, and there is nobody to answer.
    if (values.size === 0) throw new Refusal("failed to read user input");
    return {
      stdout: "",
      stderr: "Launching container-apiserver...\nTesting access to container-apiserver...\n",
      code: 0,
    };
  },
  "system stop": async (machine, args) => {
    parseArguments("system stop", { options: [{ names: ["-p", "--prefix"], value: "text" }], most: 0 }, args);
    const ids = Object.keys((await machine.store.read()).containers);
    for (const id of ids) await halt(machine, id);
    await machine.store.update((draft) => {
      draft.service = "unregistered";
    });
    return printed(ids.map((id) => `${id}\n`).join(""));
  },
};

/** macOS 15 does not have these at all. */
export const networkVerbs: Readonly<Record<string, Verb>> = {
  "network list": async ({ store, escapeSlashes }, args) => {
    parseArguments("network list", STATUS, args);
    return printed(compact((await store.read()).networks.map(networkElement), escapeSlashes));
  },
  "network create": async ({ store }, args) => {
    const options = ["--label", "--option", "--plugin", "--subnet"].map((name) => ({
      names: [name],
      value: "text" as const,
    }));
    const spec = { options: [...options, { names: ["--internal"] }], needs: ["name"], most: 1 };
    const [name = ""] = parseArguments("network create", spec, args).words;
    if (!/^[a-z0-9_.-]{1,63}$/.test(name)) throw usageRefusal("network create", `invalid network name ${name}`);
    await store.update((draft) => {
      if (draft.networks.includes(name)) throw new Refusal(`network ${name} already exists`);
      draft.networks = [...draft.networks, name];
    });
    return printed(`${name}\n`);
  },
  "network delete": async ({ store }, args) => {
    const { words } = parseArguments("network delete", { options: [], needs: ["name"] }, args);
    await store.update((draft) => {
      const missing = words.filter((name) => !draft.networks.includes(name));
      if (missing.length > 0) throw new Refusal(`failed to delete one or more networks: ${JSON.stringify(missing)}`);
      if (words.includes("default")) throw new Refusal("cannot delete a builtin network: default");
      draft.networks = draft.networks.filter((name) => !words.includes(name));
    });
    return printed(words.map((word) => `${word}\n`).join(""));
  },
  "network inspect": async ({ store }, args) => {
    const { words } = parseArguments("network inspect", { options: [], needs: ["name"] }, args);
    const { networks } = await store.read();
    const missing = words.find((name) => !networks.includes(name));
    if (missing !== undefined) throw new Refusal(`network not found: ${missing}`);
    return printed(pretty(words.map(networkElement)));
  },
};

function networkElement(name: string): object {
  const labels = name === "default" ? { "com.apple.container.resource.role": "builtin" } : {};
  return {
    id: name,
    configuration: {
      creationDate: isoDate(0),
      labels,
      mode: "nat",
      name,
      options: {},
      plugin: "container-network-vmnet",
    },
    status: { ipv4Gateway: "192.168.64.1", ipv4Subnet: "192.168.64.0/24" },
  };
}
