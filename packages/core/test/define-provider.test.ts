import { describe, expect, it } from "vitest";
import {
  type BootstrapConfig,
  type BootstrapScript,
  BUILTIN_CAPABILITIES,
  CONTRACT_VERSION,
  type CreateSnapshotOptions,
  defineProvider,
  type Instance,
  type Provider,
  type Snapshot,
  type SnapshotStatus,
  type SpawnOptions,
  supports,
} from "../src/index.ts";
import { definition, INSTANCE, LIMITS, SNAPSHOT, subject, untyped } from "./subject.ts";

/** A definition as an author without types writes it. */
function defineUntyped(written: object): Provider {
  // What is wrong with it is what the tests are about.
  return defineProvider<Provider>(written as Parameters<typeof defineProvider<Provider>>[0]);
}

type SnapshotProvider = Provider<Instance, Snapshot, "snapshots">;

/** Its state is private: a spread would lose its methods, a proxy would break them. */
class Remote {
  readonly #instances = new Map<string, Instance>();
  readonly name = "remote";
  readonly owner = "tests";
  readonly tier = "testing";
  readonly limits = LIMITS;
  readonly capabilities = { snapshots: true } as const;
  readonly whyNot = { spot: "This remote sells none." };
  readonly region = "here";

  async spawn(options: SpawnOptions<"snapshots">): Promise<Instance> {
    const instance = { ...INSTANCE, id: `i-${this.#instances.size}`, key: options.key ?? null };
    this.#instances.set(instance.id, instance);
    return instance;
  }
  async terminate(id: string): Promise<void> {
    this.#instances.delete(id);
  }
  async list(): Promise<readonly Instance[]> {
    return [...this.#instances.values()];
  }
  async get(id: string): Promise<Instance | null> {
    return this.#instances.get(id) ?? null;
  }
  generateBootstrap(config: BootstrapConfig): BootstrapScript {
    return { content: config.script, format: "shell", checksum: this.#instances.size.toString(), byteLength: 0 };
  }
  async createSnapshot(instanceId: string, options: CreateSnapshotOptions): Promise<Snapshot> {
    return { ...SNAPSHOT, instanceId: this.#instances.has(instanceId) ? instanceId : null, key: options.key };
  }
  async getSnapshotStatus(): Promise<SnapshotStatus | null> {
    return "available";
  }
  async deleteSnapshot(): Promise<void> {}
  async listSnapshots(): Promise<readonly Snapshot[]> {
    return [];
  }
}

describe("a defined provider", () => {
  it("has every flag, whyNot, refuses and the contract's version", () => {
    const provider = subject();
    expect(provider.capabilities).toEqual(Object.fromEntries(BUILTIN_CAPABILITIES.map((name) => [name, false])));
    expect(provider).toMatchObject({ whyNot: {}, refuses: {}, contractVersion: CONTRACT_VERSION });
  });

  it("keeps the definition's whyNot, refuses and members of its own", () => {
    const provider = defineUntyped({
      ...definition({ whyNot: { spot: "None for sale." }, refuses: { image: "One image fits all." } }),
      region: "here",
      describe: () => "own",
    });
    expect(provider).toMatchObject({ whyNot: { spot: "None for sale." }, refuses: { image: "One image fits all." } });
    expect(provider).toMatchObject({ region: "here" });
    expect(untyped(Reflect.get(provider, "describe"))()).toBe("own");
  });

  it("cannot be changed", () => {
    const provider = subject();
    expect(Object.isFrozen(provider)).toBe(true);
    expect(Object.isFrozen(provider.capabilities)).toBe(true);
  });

  it("may be an object of a class with private fields, whose methods come without `this`", async () => {
    const provider = defineProvider<SnapshotProvider & { readonly region: string }>(new Remote());
    const { spawn, list, get, terminate, createSnapshot, generateBootstrap } = provider;
    const { id } = await spawn({ key: "a" });
    expect(await list()).toMatchObject([{ id, key: "a" }]);
    expect(await get(id)).toMatchObject({ id });
    expect(await createSnapshot(id, { key: "s" })).toMatchObject({ instanceId: id, key: "s" });
    expect(generateBootstrap({ script: "true" })).toMatchObject({ content: "true", checksum: "1" });
    await terminate(id);
    expect(await get(id)).toBeNull();
    expect(provider.region).toBe("here");
    expect(provider.whyNot.spot).toBe("This remote sells none.");
    expect(supports(provider, "snapshots")).toBe(true);
    expect(Object.hasOwn(provider, "constructor")).toBe(false);
  });
});

describe("a definition that does not fit its own flags is refused", () => {
  it("where a flag is on and a method missing", () => {
    expect(() => defineUntyped({ ...definition(), capabilities: { snapshots: true } })).toThrow(
      "subject declares snapshots, but has no createSnapshot",
    );
  });

  it("where a flag is off and a method there", () => {
    expect(() => defineUntyped({ ...definition(), createSnapshot: async () => SNAPSHOT })).toThrow(
      "subject has createSnapshot, but declares snapshots off",
    );
  });

  it("where a flag is on that nobody describes", () => {
    expect(() => defineUntyped({ ...definition(), capabilities: { snapshot: true } })).toThrow(
      /subject declares snapshot, which neither core nor its capabilityDefinitions describe/,
    );
  });

  it.each(["spawn", "terminate", "list", "get", "generateBootstrap"])("where it has no %s", (method) => {
    expect(() => defineUntyped({ ...definition(), [method]: undefined })).toThrow(`subject has no ${method}`);
  });

  it.each(["", "Owner", "a b", "o".repeat(64), undefined])("where its owner is %j", (owner) => {
    expect(() => defineUntyped({ ...definition(), owner })).toThrow("owner must match [a-z0-9-]{1,63}");
  });
});
