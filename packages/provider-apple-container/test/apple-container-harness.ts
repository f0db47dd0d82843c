import type { ErrorTableRow, Harness, HarnessFactory } from "@slipway/contract-tests";
import { assertSupports, canExec, type ExecMethods, nameFor, type Provider, timestamp } from "@slipway/core";
import { type ContainerEmulatorSettings, containerEmulator } from "../emulator/index.ts";
import manifest from "../package.json" with { type: "json" };
import { appleContainer, appleContainerErrorTable, register } from "../src/index.ts";
import { answeringExec } from "./answering-exec.ts";
import { type FaultyExec, faultyExec } from "./faulty-exec.ts";

const OWNER = "contract-tests";
/** For the rows that the command's own words do not make. */
const OWN_ROWS: readonly ErrorTableRow[] = [
  { id: "program-missing", operation: "spawn", code: "UNAVAILABLE", effect: "none" },
  { id: "no-answer", operation: "spawn", code: "TIMEOUT", effect: "unknown" },
  { id: "unreadable-list", operation: "list", code: "INTERNAL", effect: "none" },
  { id: "unknown-words", operation: "spawn", code: "INTERNAL", effect: "unknown" },
];
// These say that a thing is not there, which is what was wanted: the methods resolve.
const NO_ERRORS: ReadonlySet<string> = new Set(["volume-missing"]);

export interface HarnessSettings extends ContainerEmulatorSettings {
  readonly networks?: boolean;
}

/** The provider over the emulator of the command. */
export function appleContainerHarness({ networks = true, ...settings }: HarnessSettings = {}): HarnessFactory {
  // The suite provokes each row in a world made anew, and takes the rows from an earlier one.
  let latest: World | undefined;
  return async (): Promise<Harness> => {
    const emulator = containerEmulator(settings);
    const { clock, control } = emulator;
    const faulty = faultyExec(emulator.exec, clock);
    latest = { ...faulty, control };
    const transcript: string[] = [];
    const note = (level: string) => (message: string, data?: object) => {
      transcript.push(`${timestamp(clock)} ${level} ${message} ${JSON.stringify(data ?? {})}`);
    };
    const runtime = {
      clock,
      exec: faulty.exec,
      onEvent: (event: object) => note("event")("", event),
      log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
    };
    const config = networks ? { networks } : {};
    const env = { owner: OWNER, variables: {}, runtime };
    const registration = await register(config, env);
    return {
      registration,
      spawnOptions: () => ({}),
      capabilityOptions: { customNetworking: { network: { isolated: true } } },
      another: async ({ owner = OWNER } = {}) =>
        networks
          ? appleContainer({ networks, owner, variables: {}, runtime })
          : appleContainer({ owner, variables: {}, runtime }),
      inspector: {
        instances: async () => (await control.instances()).filter(({ cluster }) => cluster === null),
        volumes: () => control.volumes(),
        addUnmanaged: (name) => control.addUnmanaged(name),
        hasUnmanaged: (nativeId) => control.hasUnmanaged(nativeId),
        crash: (nativeId) => control.crash(nativeId),
        changes: () => control.changes(),
      },
      faults: { add: faulty.faults.add, clear: faulty.faults.clear, supports: faulty.supports },
      errorTable: [...appleContainerErrorTable.filter(({ id }) => !NO_ERRORS.has(id)), ...OWN_ROWS].map((row) => {
        const provoke = PROVOCATIONS[row.id];
        if (provoke === undefined) return row;
        return { ...row, provoke: (provider: Provider) => provoke(latest ?? { ...faulty, control }, provider) };
      }),
      clock,
      unknownId: `${nameFor(OWNER, "never")}.0123456789ab`,
      secrets: [],
      transcript: () => transcript.join("\n"),
      patienceMs: 300_000,
      volumeSizeBytes: 1024 ** 3,
      package: {
        manifest,
        register,
        config: {},
        badConfigs: [{ image: "--privileged" }, { networks: "yes" }, { executable: "" }],
      },
      close: () => emulator.close(),
    };
  };
}

type World = FaultyExec & { readonly control: ReturnType<typeof containerEmulator>["control"] };
type Provocation = (world: World, provider: Provider) => Promise<unknown>;

/** The fault comes after the effect, and what is there cannot be read either. */
const unseen =
  (row: string): Provocation =>
  ({ faults, blindAfterRun }, provider) => {
    blindAfterRun();
    faults.add({ operation: "spawn", when: "after", row });
    return provider.spawn({});
  };

/** How a row is brought about where one fault at the method's own command does not do it. */
const PROVOCATIONS: Readonly<Record<string, Provocation>> = {
  "service-interrupted": unseen("service-interrupted"),
  "boot-failed": unseen("boot-failed"),
  "no-answer": ({ faults, blindAfterRun }, provider) => {
    blindAfterRun();
    faults.add({ operation: "spawn", when: "reply-lost" });
    return provider.spawn({});
  },
  "unknown-words": ({ faults }, provider) => {
    faults.add({ operation: "spawn", when: "before", row: "unknown-words" });
    return provider.spawn({});
  },
  "unreadable-list": ({ garble }, provider) => {
    garble("list");
    return provider.list();
  },
  "name-taken": async (_world, provider) => {
    await provider.spawn({ key: "taken" });
    return await provider.spawn({ key: "taken", labels: { another: "spec" } });
  },
  "program-missing": () => appleContainer({ owner: OWNER, executable: "/nowhere/container", variables: {} }).spawn({}),
  "plugin-missing": async () => {
    const runtime = { exec: answeringExec({ "network list": "plugin-missing" }) };
    const { hooks } = await register({ networks: true }, { owner: OWNER, variables: {}, runtime });
    await hooks.onStartup();
  },
  "volume-in-use": async ({ faults }, provider) => {
    assertSupports(provider, "persistentVolumes");
    const { id } = await provider.createVolume({ key: "data", sizeBytes: 1024 ** 3 });
    faults.add({ operation: "deleteVolume", when: "before", row: "volume-in-use" });
    await provider.deleteVolume(id);
  },
  "not-running": async ({ control }, provider) => {
    const { id, nativeId } = await provider.spawn({});
    await control.crash(nativeId);
    return await executing(provider)(id, ["true"]);
  },
  "container-not-found": (_world, provider) => executing(provider)(`${nameFor(OWNER, "never")}.0123456789ab`, ["true"]),
};

function executing(provider: Provider): ExecMethods["exec"] {
  if (!canExec(provider)) throw new Error("it has no exec");
  return provider.exec;
}
