import { execFileSync } from "node:child_process";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  allEntries,
  fileStore,
  isStoreError,
  type LaunchRecord,
  type ProcessIdentity,
  type ProcessState,
  type Store,
} from "../src/index.ts";
import { processesFrom, procTable, psTable, systemProcesses } from "../src/store/process-identity.ts";
import { startChild } from "./children/child-process.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-files-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const record: LaunchRecord = {
  kind: "launch",
  identity: { provider: "p", account: "", owner: "o", key: "k" },
  state: "intended",
  specHash: "sha256:0",
  attempt: 1,
  at: "2026-01-01T00:00:00.000Z",
  placement: 0,
  request: { key: "k", secret: "hush" },
  expected: {},
  gone: [],
};
const put = async (store: Store, id: string): Promise<void> => {
  const lease = await store.acquire(id);
  if (lease === null) throw new Error("no lease");
  await store.write(id, record);
  await store.release(lease);
};
const leaseFile = (id: string): string => fileStore(directory).whereIs?.(id) ?? "";
const recordFile = (id: string): string => leaseFile(id).replace(/lease$/, "json");
const leaveLease = async (id: string, holder: Partial<ProcessIdentity>, token = "0".repeat(24)): Promise<void> => {
  const { machineId } = await machine.self();
  const base = { pid: 1, startTime: "1", bootId: "before", pidNamespace: "", host: hostname(), machineId };
  await writeFile(leaseFile(id), JSON.stringify({ token, holder: { ...base, ...holder } }));
};
/** This machine, which has an id whatever the test runs in. */
const machine = processesFrom({
  ...procTable,
  bootId: async () => "this boot",
  pidNamespace: async () => "",
  startTimeOf: async (pid) => `started ${pid}`,
  machineId: async () => "0123456789abcdef0123456789abcdef",
});
async function storeFailure(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  const error: unknown = await work.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (isStoreError(error)) return error;
  throw error;
}

describe("what is on the disk", () => {
  test("is for this user alone, under a name that tells nothing, and nothing is left but the record", async () => {
    const root = join(directory, "deep", "store");
    await put(fileStore(root), "launch:p::o:../../my key");
    expect((await stat(root)).mode & 0o777).toBe(0o700);
    const names = await readdir(root);
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^[0-9a-f]{40}\.json$/);
    expect((await stat(join(root, names[0] ?? ""))).mode & 0o777).toBe(0o600);
  });

  test("a directory that is there keeps its mode", async () => {
    await chmod(directory, 0o755);
    await put(fileStore(directory), "id");
    expect((await stat(directory)).mode & 0o777).toBe(0o755);
  });

  test("making a store and reading from it makes nothing", async () => {
    const root = join(directory, "none");
    expect(await fileStore(root).read("id")).toBeNull();
    expect(await allEntries(fileStore(root))).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  });

  test("a lease file is whole, private, and names its holder", async () => {
    await fileStore(directory).acquire("id");
    const lease = JSON.parse(await readFile(leaseFile("id"), "utf8")) as { holder: ProcessIdentity };
    expect(lease.holder.pid).toBe(process.pid);
    expect((await stat(leaseFile("id"))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toHaveLength(1);
  });

  test("drafts of processes that died are swept, those of living ones are not", async () => {
    const dead = startChild("lease-holder.ts", join(directory, "other"));
    dead.process.kill("SIGKILL");
    await dead.ended;
    const draft = await draftName();
    const [numbering] = draft.split("-");
    await writeFile(join(directory, `${numbering}-${dead.process.pid}-00.draft`), "hush");
    await writeFile(join(directory, `${numbering}-${process.pid}-00.draft`), "mine");
    await writeFile(join(directory, `000000000000-${dead.process.pid}-00.draft`), "another machine's");
    await put(fileStore(directory), "id");
    const left = (await readdir(directory)).filter((name) => name.endsWith(".draft"));
    expect(left.sort()).toEqual(
      [`000000000000-${dead.process.pid}-00.draft`, `${numbering}-${process.pid}-00.draft`].sort(),
    );
  });

  /** The name that this process's drafts have. */
  async function draftName(): Promise<string> {
    const { leaseFiles } = await import("../src/store/lease-files.ts");
    const path = await leaseFiles(directory, systemProcesses(), false).draftPath();
    return path.slice(directory.length + 1);
  }
});

describe("corrupt files", () => {
  test.each([
    ["an empty file", ""],
    ["half a file", '{ "format": 1, "id": "id", "rec'],
    ["a format that is none", '{ "format": "2", "id": "id", "record": {} }'],
    ["another id", JSON.stringify({ format: 1, id: "else", record })],
    ["no record", '{ "format": 1, "id": "id", "record": null }'],
    [
      "a record without its request",
      JSON.stringify({ format: 1, id: "id", record: { ...record, request: undefined } }),
    ],
    ["a record in no known state", JSON.stringify({ format: 1, id: "id", record: { ...record, state: "odd" } })],
    ["a list", "[]"],
    ["bytes", "\u0000\u0001\u0002"],
  ])("%s is CORRUPT with the file's name, and is not touched", async (_name, content) => {
    const store = fileStore(directory);
    await writeFile(recordFile("id"), content);
    for (const error of [await storeFailure(store.read("id")), await storeFailure(allEntries(store))]) {
      expect(error.code).toBe("CORRUPT");
      expect(error.message).toContain(recordFile("id"));
      expect(error.hint).not.toBe("");
    }
    expect(await readFile(recordFile("id"), "utf8")).toBe(content);
  });

  test.each([
    ["file of a newer format", '{ "format": 3, "id": "id", "record": {} }'],
    ["record of a kind that is not known here", '{ "format": 1, "id": "id", "record": { "kind": "odd" } }'],
  ])("a %s is FORMAT: written by a newer version, and not touched", async (_name, content) => {
    const store = fileStore(directory);
    await writeFile(recordFile("id"), content);
    for (const error of [await storeFailure(store.read("id")), await storeFailure(allEntries(store))]) {
      expect(error).toMatchObject({ code: "FORMAT", path: recordFile("id"), retryable: false });
    }
    expect(await readFile(recordFile("id"), "utf8")).toBe(content);
  });

  test("what cannot be read does not hide the others, and another kind hides nothing", async () => {
    const store = fileStore(directory);
    await put(store, "whole");
    await writeFile(recordFile("one"), "?");
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      for await (const { id } of store.entries({ kind: "launch" })) seen.push(id);
    };
    expect(await storeFailure(look())).toMatchObject({ code: "CORRUPT" });
    await writeFile(recordFile("one"), '{ "format": 1, "id": "one", "record": { "kind": "pool" } }');
    await look();
    expect(seen).toEqual(["whole", "whole"]);
    expect(await storeFailure(allEntries(store))).toMatchObject({ code: "CORRUPT", path: recordFile("one") });
  });

  test("entries names every one of them", async () => {
    await put(fileStore(directory), "whole");
    await writeFile(recordFile("one"), "?");
    await writeFile(recordFile("two"), "?");
    const error = await storeFailure(allEntries(fileStore(directory)));
    expect(error.message).toContain(recordFile("one"));
    expect(error.message).toContain(recordFile("two"));
    expect(error.message).not.toContain(recordFile("whole"));
  });

  test("a corrupt lease is told with its file, and not taken", async () => {
    for (const content of ["x", "{}", '{"token":"../../x","holder":{}}']) {
      await writeFile(leaseFile("id"), content);
      const error = await storeFailure(fileStore(directory).acquire("id"));
      expect(error).toMatchObject({ code: "CORRUPT", path: leaseFile("id") });
      expect(await readFile(leaseFile("id"), "utf8")).toBe(content);
    }
  });

  test("other people's files in the directory do no harm, and JSON among them is named", async () => {
    await writeFile(join(directory, "README.txt"), "mine");
    await writeFile(join(directory, "package.json"), "{}");
    await put(fileStore(directory), "id");
    await copyFile(recordFile("id"), join(directory, "copy of id.json"));
    const strays: string[] = [];
    const store = fileStore(directory, { onStray: (path) => strays.push(path) });
    expect((await allEntries(store)).map(({ id }) => id)).toEqual(["id"]);
    expect(strays.sort()).toEqual([join(directory, "copy of id.json"), join(directory, "package.json")]);
  });

  test("a link to nothing is not nothing: as record, as lease and as the directory itself", async () => {
    const nothing = join(directory, "nothing");
    const store = fileStore(directory);
    await symlink(nothing, recordFile("id"));
    expect(await storeFailure(store.read("id"))).toMatchObject({ code: "CORRUPT", path: recordFile("id") });
    expect(await storeFailure(allEntries(store))).toMatchObject({ code: "CORRUPT", path: recordFile("id") });
    await symlink(nothing, leaseFile("id"));
    expect(await storeFailure(store.acquire("id"))).toMatchObject({ code: "CORRUPT", path: leaseFile("id") });
    const root = join(directory, "store");
    await symlink(nothing, root);
    expect((await storeFailure(allEntries(fileStore(root)))).code).toBe("CORRUPT");
  });
});

describe("leases of the dead", () => {
  test("of another boot of this machine are taken over", async () => {
    await leaveLease("id", {});
    expect(await fileStore(directory, { processes: machine }).acquire("id")).not.toBeNull();
  });

  test.each([
    ["another machine id", { machineId: "fedcba9876543210fedcba9876543210" }],
    ["no machine id, as earlier versions wrote it", { machineId: undefined }],
    ["a boot that is not told", { bootId: "unknown" }],
  ])("of a machine with this one's host name and %s are held: it may live there", async (_name, holder) => {
    await leaveLease("id", holder as Partial<ProcessIdentity>);
    expect(await fileStore(directory, { processes: machine }).acquire("id")).toBeNull();
    expect(await fileStore(directory, { processes: machine, foreignLeases: "dead" }).acquire("id")).not.toBeNull();
  });

  test.each([
    ["nothing", ""],
    ["zeros", "\0".repeat(200)],
  ])("of which a power failure left %s are taken over, by one of many", async (_name, content) => {
    await writeFile(leaseFile("id"), content);
    const stores = Array.from({ length: 8 }, () => fileStore(directory));
    const leases = await Promise.all(stores.map((store) => store.acquire("id")));
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
    expect(await readdir(directory)).toEqual([leaseFile("id").slice(directory.length + 1)]);
    // As its ticket may be left.
    await rename(leaseFile("id"), leaseFile("id").replace(/lease$/, `${"1".repeat(24)}.takeover`));
    await writeFile(leaseFile("id").replace(/lease$/, `${"1".repeat(24)}.takeover`), content);
    await leaveLease("id", {}, "1".repeat(24));
    expect(await fileStore(directory, { processes: machine }).acquire("id")).not.toBeNull();
  });

  test("of a pid that is used again are taken over", async () => {
    const self = await systemProcesses().self();
    await leaveLease("id", { ...self, startTime: "1" });
    expect(await fileStore(directory).acquire("id")).not.toBeNull();
    await leaveLease("other", self);
    expect(await fileStore(directory).acquire("other")).toBeNull();
  });

  test("a takeover that died half-way is taken over as well, and leaves nothing behind", async () => {
    const ticket = leaseFile("id").replace(/lease$/, `${"1".repeat(24)}.takeover`);
    await leaveLease("id", {}, "2".repeat(24));
    await writeFile(ticket, await readFile(leaseFile("id")));
    await leaveLease("id", {}, "1".repeat(24));
    const stores = Array.from({ length: 8 }, () => fileStore(directory, { processes: machine }));
    const leases = await Promise.all(stores.map((store) => store.acquire("id")));
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
    expect(await readdir(directory)).toEqual([leaseFile("id").slice(directory.length + 1)]);
  });

  test("takeover tickets that are spent and whose holders died are swept, others are not", async () => {
    const ticketOf = (token: string): string => leaseFile("id").replace(/lease$/, `${token}.takeover`);
    const [first, second, third, fourth] = ["1", "2", "3", "4"].map((digit) => digit.repeat(24));
    await leaveLease("id", {}, first);
    await rename(leaseFile("id"), ticketOf("5".repeat(24)));
    // About the ticket above, and so spent with it.
    await leaveLease("id", {}, second);
    await rename(leaseFile("id"), ticketOf(first ?? ""));
    // Its holder lives.
    await leaveLease("id", await machine.self(), fourth);
    await rename(leaseFile("id"), ticketOf("6".repeat(24)));
    await leaveLease("id", {}, third);
    await rename(leaseFile("id"), ticketOf("7".repeat(24)));
    // About a lease that stands.
    await leaveLease("id", {}, "7".repeat(24));
    await put(fileStore(directory, { processes: machine }), "another");
    const left = (await readdir(directory)).filter((name) => name.endsWith(".takeover")).sort();
    expect(left.map((name) => join(directory, name))).toEqual([ticketOf("6".repeat(24)), ticketOf("7".repeat(24))]);
  });

  test.each([
    ["another machine", { host: "elsewhere" }],
    ["another container", { pidNamespace: "pid:[1]" }],
  ])("of %s cannot be judged: they are held, unless the user says otherwise", async (_name, foreign) => {
    const self = await systemProcesses().self();
    const bootId = "host" in foreign ? "theirs" : self.bootId;
    await leaveLease("id", { ...self, bootId, ...foreign });
    expect(await fileStore(directory).acquire("id")).toBeNull();
    expect(await fileStore(directory, { foreignLeases: "dead" }).acquire("id")).not.toBeNull();
  });

  test("a slow contender that saw the dead lease does not take it from the one that won", async () => {
    const self = await systemProcesses().self();
    const dead: ProcessIdentity = { ...self, bootId: "before" };
    let goOn = (): void => undefined;
    let looked = (): void => undefined;
    const hasLooked = new Promise<void>((resolve) => {
      looked = resolve;
    });
    const stateOf = async (other: ProcessIdentity): Promise<ProcessState> => {
      if (other.bootId !== dead.bootId) return "alive";
      looked();
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      return "dead";
    };
    await leaveLease("id", dead);
    const slow = fileStore(directory, { processes: { self: async () => self, stateOf } }).acquire("id");
    await hasLooked;
    const quick = fileStore(directory);
    expect(await quick.acquire("id")).not.toBeNull();
    goOn();
    expect(await slow).toBeNull();
    await quick.write("id", record);
  });

  test("a lease that a person deleted is no longer held", async () => {
    const store = fileStore(directory);
    const lease = await store.acquire("id");
    await rm(leaseFile("id"));
    expect(await fileStore(directory).acquire("id")).not.toBeNull();
    expect((await storeFailure(store.write("id", record))).code).toBe("NOT_HELD");
    expect(lease?.held()).toBe(false);
  });
});

describe("who a process is", () => {
  test.runIf(process.platform === "linux")("is told the same by /proc as long as it lives", async () => {
    const processes = processesFrom(procTable);
    const self = await processes.self();
    expect(await processesFrom(procTable).self()).toEqual(self);
    expect(await processes.stateOf(self)).toBe("alive");
    expect(await procTable.startTimeOf(0x7fffffff)).toBeNull();
  });

  test("is told by ps where there is no /proc", async () => {
    const asked: string[] = [];
    const table = psTable(async (file, args) => {
      asked.push([file, ...args].join(" "));
      if (file === "sysctl") return "BOOT-UUID\n";
      return args.at(-1) === "7" ? null : "Ss   Sat Nov 21 00:00:00 2026    \n";
    });
    expect(await processesFrom(table).self()).toMatchObject({
      bootId: "BOOT-UUID",
      startTime: "Sat Nov 21 00:00:00 2026",
    });
    expect(await table.startTimeOf(7)).toBeNull();
    expect(asked).toContain(`ps -o stat= -o lstart= -p ${process.pid}`);
  });

  test("a zombie is dead", async () => {
    expect(await psTable(async () => "Z+   Sat Nov 21 00:00:00 2026").startTimeOf(1)).toBeNull();
  });

  test.runIf(process.platform === "linux")("is told by the real ps", async () => {
    const table = psTable();
    expect(await table.startTimeOf(process.pid)).toMatch(/\d{4}$/);
    expect(await table.startTimeOf(0x3fffff)).toBeNull();
  });
});

describe("places that cannot hold a store", () => {
  test("a file where the directory should be", async () => {
    const path = join(directory, "file");
    await writeFile(path, "");
    expect(await storeFailure(fileStore(path).acquire("id"))).toMatchObject({ code: "UNUSABLE", path });
    expect((await storeFailure(fileStore(join(path, "below")).acquire("id"))).code).toBe("UNUSABLE");
  });

  test.skipIf(process.platform !== "linux")("a file system in which no directory can be made", async () => {
    const code = (await storeFailure(fileStore("/proc/slipway/launch").acquire("id"))).code;
    expect(["IO", "NO_ACCESS", "READ_ONLY"]).toContain(code);
  });

  test("a directory that somebody removed is made again at the next try but one", async () => {
    const store = fileStore(join(directory, "store"));
    await put(store, "id");
    await rm(join(directory, "store"), { recursive: true });
    expect((await storeFailure(store.acquire("id"))).code).toBe("IO");
    await put(store, "id");
  });

  test("a path that goes wrong once is tried again", async () => {
    const root = join(directory, "late");
    await writeFile(root, "");
    const store = fileStore(root);
    await storeFailure(store.acquire("id"));
    await rm(root);
    await mkdir(root);
    await put(store, "id");
    expect(await store.read("id")).toEqual(record);
  });

  const hasNamespaces = ((): boolean => {
    try {
      execFileSync("unshare", ["-Urm", "true"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  })();
  test.runIf(hasNamespaces)(
    "a full disk and a read-only one are told by code, and lose nothing",
    { timeout: 120_000 },
    () => {
      const child = fileURLToPath(new URL("children/hard-times.ts", import.meta.url));
      const node = [process.execPath, "--conditions=@slipway/source", "--no-warnings", child, directory];
      const script = 'mount -t tmpfs -o size=1m tmpfs "$5" && exec "$@"';
      const output = execFileSync("unshare", ["-Urm", "sh", "-c", script, "sh", ...node], { encoding: "utf8" });
      expect(JSON.parse(output)).toEqual({
        fullWrite: "FULL",
        fullAcquire: "FULL",
        kept: 1,
        fullRelease: "ok",
        emptiedWrite: "ok",
        readOnlyAcquire: "READ_ONLY",
        readOnlyNew: "READ_ONLY",
        readOnlyRead: 3,
      });
    },
  );
});

test("a lease that was just given back and is taken again is not lost to those who take others meanwhile", async () => {
  const store = fileStore(directory);
  const work = async (name: string): Promise<void> => {
    for (let round = 0; round < 60; round += 1) {
      const lease = await store.acquire(`pool:${name}`);
      if (lease === null) throw new Error(`${name} is free`);
      await store.write(lease.id, { kind: "pool", name, owner: "o", state: "s", at: record.at, data: round });
      await store.release(lease);
    }
  };
  await Promise.all(["a", "b", "c", "d", "e", "f", "g", "h"].map(work));
  expect(await allEntries(store)).toHaveLength(8);
});
