import type { ErrorTableRow, Harness, HarnessFactory } from "@slipway/contract-tests";
import { canExec, type ExecMethods, type Provider, timestamp } from "@slipway/core";
import { canPlace, type OrbstackControl, type OrbstackEmulatorSettings, orbstackEmulator } from "../emulator/index.ts";
import manifest from "../package.json" with { type: "json" };
import { orbstack, orbstackErrorTable, register } from "../src/index.ts";

const OWNER = "contract-tests";
/** For the rows that the command's own words do not make. */
const OWN_ROWS: readonly ErrorTableRow[] = [
  { id: "program-missing", operation: "spawn", code: "UNAVAILABLE", effect: "none" },
  { id: "engine-stopped", operation: "list", code: "UNAVAILABLE", effect: "none" },
  { id: "too-old", operation: "spawn", code: "UNSUPPORTED", effect: "none" },
  { id: "no-answer", operation: "spawn", code: "TIMEOUT", effect: "unknown" },
  { id: "unreadable-list", operation: "list", code: "INTERNAL", effect: "none" },
  { id: "null-list", operation: "list", code: "UNAVAILABLE", effect: "none" },
  { id: "circuit-open", operation: "spawn", code: "CAPACITY_ERROR", scope: "provider", effect: "none" },
  { id: "unknown-words", operation: "spawn", code: "INTERNAL", effect: "unknown" },
];

/** The provider over the emulator of the command. */
export function orbstackHarness(settings: OrbstackEmulatorSettings = {}): HarnessFactory {
  // The suite provokes each row in a world made anew, and takes the rows from an earlier one.
  let latest: OrbstackControl | undefined;
  return async (): Promise<Harness> => {
    const emulator = orbstackEmulator(settings);
    const { clock, control } = emulator;
    latest = control;
    const transcript: string[] = [];
    const note = (level: string) => (message: string, data?: object) => {
      transcript.push(`${timestamp(clock)} ${level} ${message} ${JSON.stringify(data ?? {})}`);
    };
    const runtime = {
      clock,
      exec: emulator.exec,
      onEvent: (event: object) => note("event")("", event),
      log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
    };
    const variables = { HOME: "/home/nobody" };
    return {
      registration: await register({}, { owner: OWNER, variables, runtime }),
      spawnOptions: () => ({}),
      another: async ({ owner = OWNER } = {}) => orbstack({ owner, variables, runtime }),
      inspector: {
        instances: () => control.machines(),
        snapshots: () => control.snapshots(),
        addUnmanaged: (name) => control.addUnmanaged(name),
        hasUnmanaged: async (nativeId) => (await control.machines()).some((machine) => machine.nativeId === nativeId),
        crash: (nativeId) => control.stop(nativeId),
        changes: () => control.changes(),
      },
      faults: { add: control.faults.add, clear: control.faults.clear, supports: canPlace },
      errorTable: [...orbstackErrorTable, ...OWN_ROWS].map((row) => {
        const provoke = PROVOCATIONS[row.id];
        return provoke === undefined
          ? row
          : { ...row, provoke: (provider: Provider) => provoke(latest ?? control, provider) };
      }),
      clock,
      unknownId: "01KHVDCW7HTAGRPMB823KADP9B",
      secrets: [],
      transcript: () => transcript.join("\n"),
      patienceMs: 300_000,
      package: {
        manifest,
        register,
        config: {},
        badConfigs: [{ image: "--privileged" }, { isolated: "yes" }, { executable: "" }, { image: "a:b:c:d" }],
      },
      close: () => emulator.close(),
    };
  };
}

type Provocation = (control: OrbstackControl, provider: Provider) => Promise<unknown>;

/** From now on no machine can be looked at. */
function blind({ faults }: OrbstackControl): void {
  faults.add({ operation: "info", when: "before", row: "services-late", times: Number.POSITIVE_INFINITY });
}

/** The words come at the deletion itself, and not at the stop before it. */
const deleting =
  (row: string): Provocation =>
  async (control, provider) => {
    const { id } = await provider.spawn({});
    control.faults.add({ operation: "delete", when: "before", row });
    return await provider.terminate(id);
  };

const running =
  (row: string): Provocation =>
  async (control, provider) => {
    const { id, nativeId } = await provider.spawn({});
    control.faults.add({ operation: "run", when: "before", row });
    if (row === "machine-not-found") await control.remove(nativeId);
    return await executing(provider)(id, ["true"]);
  };

/** How a row is brought about where one fault at the method's own command does not do it. */
const PROVOCATIONS: Readonly<Record<string, Provocation>> = {
  "client-crashed": deleting("client-crashed"),
  "read-only-files": deleting("read-only-files"),
  "machine-not-found": running("machine-not-found"),
  "unknown-user": running("unknown-user"),
  "name-taken": async (_control, provider) => {
    await provider.spawn({ key: "taken" });
    return await provider.spawn({ key: "taken", labels: { another: "spec" } });
  },
  "no-console": async (control, provider) => {
    const { id, nativeId } = await provider.spawn({});
    await control.stop(nativeId);
    control.faults.add({ operation: "logs", when: "before", row: "no-console" });
    if (!("logs" in provider) || typeof provider.logs !== "function") throw new Error("it has no logs");
    const lines: AsyncIterable<string> = provider.logs(id);
    for await (const _line of lines);
  },
  "no-answer": (control, provider) => {
    blind(control);
    control.faults.add({ operation: "spawn", when: "reply-lost" });
    return provider.spawn({});
  },
  "unknown-words": (control, provider) => {
    control.faults.add({ operation: "spawn", when: "before", row: "unknown" });
    return provider.spawn({});
  },
  "circuit-open": async (control, provider) => {
    control.faults.add({ operation: "spawn", when: "before", row: "no-address", times: 2 });
    await provider.spawn({}).catch(() => undefined);
    await provider.spawn({}).catch(() => undefined);
    return await provider.spawn({});
  },
  "engine-stopped": async (control, provider) => {
    await control.setEngine("Stopped");
    return await provider.list();
  },
  "too-old": async (control, provider) => {
    await control.setVersion("2.2.1");
    return await provider.spawn({});
  },
  "null-list": async (control, provider) => {
    await control.setEngineSettings({ listReturnsNull: true });
    return await provider.list();
  },
  "unreadable-list": async (control, provider) => {
    await control.addFaults({ command: "list", does: "garble" });
    return await provider.list();
  },
  "program-missing": () => orbstack({ owner: OWNER, executable: "/nowhere/orbctl", variables: {} }).spawn({}),
};

function executing(provider: Provider): ExecMethods["exec"] {
  if (!canExec(provider)) throw new Error("it has no exec");
  return provider.exec;
}
