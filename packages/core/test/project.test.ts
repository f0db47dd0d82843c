import { describe, expect, it } from "vitest";
import {
  type BootstrapMethods,
  type Cost,
  defineProvider,
  type ExecMethods,
  type Instance,
  type LogMethods,
  type Provider,
  projectInstance,
  projectProvider,
  projectSnapshot,
  type Region,
  type Snapshot,
  type SpotPrice,
  type SpotRequest,
  type TerminalMethods,
  type Volume,
} from "../src/index.ts";
import { definition, INSTANCE, LIMITS, SNAPSHOT, untyped } from "./subject.ts";

const RAW = { token: "sk-live-4711", socket: { close: () => undefined } };

const WHOLE: Instance = {
  ...INSTANCE,
  statusReason: { code: "Ok", message: "all well" },
  region: "eu",
  zone: "eu-1",
  spec: "small",
  image: "debian",
  resources: { cpus: 1, memoryBytes: 2, diskBytes: 3, gpus: { type: "a10", count: 1 } },
  addresses: { publicIpv4: "192.0.2.1", privateIpv4: "10.0.0.1", ipv6: "2001:db8::1" },
  ssh: { host: "192.0.2.1", port: 22, user: "root" },
  bootstrap: { state: "succeeded", exitCode: 0 },
  labels: { a: "1" },
  price: { usdPerHour: 1, per: "instance", asOf: "2026-01-31T12:00:00.000Z", source: "live" },
  expiresAt: "2026-02-01T12:00:00.000Z",
};
/** The same with a provider's own fields at every depth. */
const ENHANCED: Instance = {
  ...WHOLE,
  ...RAW,
  ...{
    statusReason: { code: "Ok", message: "all well", ...RAW },
    resources: { ...WHOLE.resources, ...RAW, gpus: { type: "a10", count: 1, ...RAW } },
    addresses: { ...WHOLE.addresses, ...RAW },
    ssh: { host: "192.0.2.1", port: 22, user: "root", ...RAW },
    bootstrap: { state: "succeeded", exitCode: 0, ...RAW },
    price: { usdPerHour: 1, per: "instance", asOf: "2026-01-31T12:00:00.000Z", source: "live", ...RAW },
  },
};
const ENHANCED_SNAPSHOT: Snapshot = { ...SNAPSHOT, sizeBytes: 5, ...RAW };
const VOLUME: Volume = {
  id: "v",
  provider: "subject",
  status: "available",
  key: "k",
  owner: "tests",
  sizeBytes: 1,
  attachedTo: null,
  createdAt: null,
};
const PRICE: SpotPrice = {
  usdPerHour: 1,
  per: "instance",
  asOf: "2026-01-31T12:00:00.000Z",
  source: "live",
  spec: "small",
  region: "eu",
};
const COST: Cost = { usd: 1, from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", group: null, estimated: false };
const REQUEST: SpotRequest = { requestId: "r", status: "open", instanceId: null };
const REGION: Region = { id: "eu", name: "Europe" };
const enhanced = <T extends object>(value: T): T => ({ ...value, ...RAW });

type Full = Provider<
  Instance,
  Snapshot,
  "snapshots" | "spot" | "multiRegion" | "persistentVolumes" | "warmVolumes" | "hibernation" | "costExplorer"
>;
type Enhanced = Full &
  ExecMethods &
  TerminalMethods &
  LogMethods &
  BootstrapMethods & { readonly describe: () => Promise<typeof RAW> };

function full(): Enhanced {
  // Remotes answer more than the contract asks for: void methods too.
  const noise = untyped(async () => RAW) as () => Promise<never>;
  return defineProvider<Enhanced>({
    ...definition(),
    readBootstrap: async (id) =>
      id === "none" ? null : { ...RAW, state: "failed", exitCode: 7, lastLines: ["a line"] },
    capabilities: {
      snapshots: true,
      spot: true,
      multiRegion: true,
      persistentVolumes: true,
      warmVolumes: true,
      hibernation: true,
      costExplorer: true,
    },
    spawn: async () => ENHANCED,
    get: async (id) => (id === "none" ? null : ENHANCED),
    list: async () => [ENHANCED, ENHANCED],
    terminate: noise,
    createSnapshot: async () => ENHANCED_SNAPSHOT,
    getSnapshotStatus: async () => "available",
    deleteSnapshot: noise,
    listSnapshots: async () => [ENHANCED_SNAPSHOT],
    requestSpotInstance: async () => enhanced(REQUEST),
    cancelSpotRequest: noise,
    getSpotPrices: async () => [enhanced(PRICE)],
    listRegions: async () => [enhanced(REGION)],
    createVolume: async () => enhanced(VOLUME),
    listVolumes: async () => [enhanced(VOLUME)],
    deleteVolume: noise,
    warmVolume: async () => enhanced({ ...VOLUME, pool: "p" }),
    claimWarmVolume: async ({ pool }) => (pool === "empty" ? null : enhanced(VOLUME)),
    releaseWarmVolume: noise,
    hibernate: async () => ENHANCED,
    resume: async () => ENHANCED,
    getCosts: async () => [enhanced(COST)],
    exec: async (_id, argv) => ({ exitCode: 0, stdout: argv.join(" "), stderr: "" }),
    terminalCommand: async (id, argv) => ({ file: "enter", args: [id, ...argv] }),
    async *logs() {
      yield "a line";
    },
    describe: async () => RAW,
  });
}

const WARM = { key: "k", pool: "p", sizeBytes: 1, zone: "z" };
const DAY = { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" };

describe("through a projected provider", () => {
  const provider = projectProvider(full());

  it.each<[string, () => Promise<unknown>, unknown]>([
    ["spawn", () => provider.spawn({}), WHOLE],
    ["get", () => provider.get("i"), WHOLE],
    ["get of nothing", () => provider.get("none"), null],
    ["list", () => provider.list(), [WHOLE, WHOLE]],
    ["terminate", () => provider.terminate("i"), undefined],
    ["createSnapshot", () => provider.createSnapshot("i", { key: "s" }), { ...SNAPSHOT, sizeBytes: 5 }],
    ["getSnapshotStatus", () => provider.getSnapshotStatus("s"), "available"],
    ["deleteSnapshot", () => provider.deleteSnapshot("s"), undefined],
    ["listSnapshots", () => provider.listSnapshots(), [{ ...SNAPSHOT, sizeBytes: 5 }]],
    ["requestSpotInstance", () => provider.requestSpotInstance({}), REQUEST],
    ["cancelSpotRequest", () => provider.cancelSpotRequest("r"), undefined],
    ["getSpotPrices", () => provider.getSpotPrices(), [PRICE]],
    ["listRegions", () => provider.listRegions(), [REGION]],
    ["createVolume", () => provider.createVolume({ key: "v", sizeBytes: 1 }), VOLUME],
    ["listVolumes", () => provider.listVolumes(), [VOLUME]],
    ["deleteVolume", () => provider.deleteVolume("v"), undefined],
    ["warmVolume", () => provider.warmVolume(WARM), { ...VOLUME, pool: "p" }],
    ["claimWarmVolume", () => provider.claimWarmVolume({ pool: "p", instanceId: "i" }), VOLUME],
    ["claimWarmVolume of none", () => provider.claimWarmVolume({ pool: "empty", instanceId: "i" }), null],
    ["releaseWarmVolume", () => provider.releaseWarmVolume("v"), undefined],
    ["hibernate", () => provider.hibernate("i"), WHOLE],
    ["resume", () => provider.resume("i"), WHOLE],
    ["getCosts", () => provider.getCosts(DAY), [COST]],
  ])("%s answers the contract's fields alone, in plain data", async (_operation, call, expected) => {
    const result = await call();
    expect(result).toStrictEqual(expected);
    if (result !== undefined) expect(JSON.parse(JSON.stringify(result))).toStrictEqual(expected);
  });

  it("the data is the same, and every function the contract has", () => {
    const exact = full();
    for (const name of ["name", "owner", "tier", "contractVersion", "capabilities", "limits", "whyNot"] as const) {
      expect(provider[name]).toEqual(exact[name]);
    }
    expect(provider.generateBootstrap({ script: "" })).toEqual(exact.generateBootstrap({ script: "" }));
  });

  it("what is a provider's own is gone, exec, terminals and logs stay", async () => {
    expect("describe" in provider).toBe(false);
    expect(Object.isFrozen(provider)).toBe(true);
    expect(await provider.exec("i", ["echo", "a"])).toMatchObject({ stdout: "echo a" });
    expect(await provider.terminalCommand("i", ["sh"])).toEqual({ file: "enter", args: ["i", "sh"] });
    const lines: string[] = [];
    for await (const line of provider.logs("i")) lines.push(line);
    expect(lines).toEqual(["a line"]);
  });

  it("what is read of a bootstrap is the contract's fields alone", async () => {
    expect(await provider.readBootstrap("i")).toStrictEqual({ state: "failed", exitCode: 7, lastLines: ["a line"] });
    expect(await provider.readBootstrap("none")).toBeNull();
  });

  it("projected once more it is the same", async () => {
    const twice = projectProvider(provider);
    expect(Object.keys(twice).sort()).toEqual(Object.keys(provider).sort());
    expect(await twice.spawn({})).toStrictEqual(WHOLE);
  });

  it("errors pass as they are", async () => {
    await expect(untyped(provider.spawn)({ volumes: 5 })).rejects.toMatchObject({ code: "INVALID_SPEC" });
  });
});

describe("a class that is a provider by itself", () => {
  class Own {
    readonly #secret = "s";
    readonly name = "own";
    readonly owner = "tests";
    readonly tier = "testing";
    readonly contractVersion = 1;
    readonly limits = LIMITS;
    readonly whyNot = {};
    readonly refuses = {};
    readonly capabilities = { ...projectProvider(full()).capabilities, hibernation: false };
    get live(): boolean {
      return true;
    }
    async spawn(): Promise<Instance> {
      return { ...ENHANCED, id: `${this.#secret}-1` };
    }
    async terminate(): Promise<void> {}
    async list(): Promise<Instance[]> {
      return [ENHANCED];
    }
    async get(): Promise<null> {
      return null;
    }
    async hibernate(): Promise<Instance> {
      return ENHANCED;
    }
    generateBootstrap() {
      return { content: this.#secret, format: "shell" as const, checksum: "", byteLength: 1 };
    }
  }
  const provider: Provider = projectProvider<Provider>(new Own());

  it("is projected with its private fields", async () => {
    expect(await provider.spawn({})).toStrictEqual({ ...WHOLE, id: "s-1" });
    expect(provider.generateBootstrap({ script: "" }).content).toBe("s");
    expect("live" in provider).toBe(false);
  });

  it("has no method of a capability whose flag is off", () => {
    expect("hibernate" in provider).toBe(false);
  });
});

describe("projectInstance and projectSnapshot", () => {
  it("copy the fields of the contract and leave the rest, absent ones absent", () => {
    expect(projectInstance(ENHANCED)).toStrictEqual(WHOLE);
    expect(projectInstance(INSTANCE)).toStrictEqual(INSTANCE);
    expect(projectSnapshot(ENHANCED_SNAPSHOT)).toStrictEqual({ ...SNAPSHOT, sizeBytes: 5 });
    expect(Object.keys(projectSnapshot(SNAPSHOT))).not.toContain("sizeBytes");
  });

  it("share nothing with the original", () => {
    const copy = projectInstance(WHOLE);
    expect(copy).not.toBe(WHOLE);
    expect(copy.labels).not.toBe(WHOLE.labels);
    expect(copy.resources).not.toBe(WHOLE.resources);
  });

  it("read what a class keeps behind getters", () => {
    class Live {
      readonly #labels = new Map([["a", "1"]]);
      get id(): string {
        return "i-live";
      }
      get labels(): Record<string, string> {
        return Object.fromEntries(this.#labels);
      }
    }
    // A provider's instance may be any object that has the fields.
    const copy = projectInstance(new Live() as unknown as Instance);
    expect(copy).toStrictEqual({ id: "i-live", labels: { a: "1" } });
  });
});
