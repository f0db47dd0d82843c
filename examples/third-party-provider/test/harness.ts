import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import type { Harness, HarnessFactory, InspectedInstance } from "@slipway/contract-tests";
import { type Runtime, systemClock } from "@slipway/core";
import { commandRunner } from "@slipway/provider-kit/command";
import manifest from "../package.json" with { type: "json" };
import { register, sshErrorTable, sshHosts } from "../src/index.ts";
import { faultyExec } from "./faulty-exec.ts";
import type { Sshd } from "./sshd.ts";

const OWNER = "contract-tests";
const PLACES = 8;
let worlds = 0;

/** Fresh places on one machine for every case, with the file system as the inspector. */
export function sshHarness(starting: Promise<Sshd>): HarnessFactory {
  return async (): Promise<Harness> => {
    const sshd = await starting;
    const world = join(sshd.directory, `world-${++worlds}`);
    const hosts = Array.from({ length: PLACES }, (_, at) => ({ name: "machine", directory: join(world, String(at)) }));
    for (const { directory } of hosts) mkdirSync(directory, { recursive: true });
    const transcript: string[] = [];
    const note = (...said: readonly unknown[]): void => void transcript.push(JSON.stringify(said));
    const { exec, faults, supports } = faultyExec(commandRunner({ inherit: ["PATH", "HOME", "USER"] }));
    const runtime: Partial<Runtime> = {
      exec,
      onEvent: note,
      log: { debug: note, info: note, warn: note, error: note },
    };
    const config = { hosts, sshConfig: sshd.config };
    return {
      registration: await register(config, { owner: OWNER, variables: {}, runtime }),
      spawnOptions: () => ({ labels: { suite: "yes" } }),
      another: async ({ owner = OWNER } = {}) => sshHosts({ ...config, owner, runtime }),
      inspector: {
        instances: async () => hosts.flatMap(({ directory }) => heldIn(directory)),
        addUnmanaged: async (name = "by-hand") => {
          const free = hosts.find(({ directory }) => !existsSync(join(directory, "claims")));
          if (free === undefined) throw new Error("no host is free");
          mkdirSync(join(free.directory, "claims", name), { recursive: true });
          symlinkSync(`claims/${name}`, join(free.directory, "current"));
          return name;
        },
        hasUnmanaged: async (nativeId) =>
          hosts.some(({ directory }) => existsSync(join(directory, "claims", nativeId))),
      },
      faults: { add: faults.add, clear: faults.clear, supports },
      errorTable: sshErrorTable,
      clock: systemClock,
      unknownId: `machine:${hosts[0]?.directory ?? ""}/slip-00000000-00000000000000000000-00000000`,
      secrets: [],
      transcript: () => transcript.join("\n"),
      patienceMs: 20_000,
      package: { manifest, register, config, badConfigs: [{ hosts: [] }, { hosts: [{ name: "-oProxyCommand=x" }] }] },
      close: async () => rmSync(world, { recursive: true, force: true }),
    };
  };
}

function heldIn(directory: string): readonly InspectedInstance[] {
  const current = join(directory, "current");
  const claims = existsSync(join(directory, "claims")) ? readdirSync(join(directory, "claims")) : [];
  const held = claims.length > 0 && isLink(current) ? basename(readlinkSync(current)) : undefined;
  return claims.map((nativeId): InspectedInstance => {
    const file = join(directory, "claims", nativeId, "ownership.json");
    if (!existsSync(file)) return { nativeId, owner: null, key: null, live: nativeId === held };
    const { owner, key } = JSON.parse(readFileSync(file, "utf8")) as { readonly owner: string; readonly key: string };
    return { nativeId, owner, key, live: nativeId === held };
  });
}

function isLink(path: string): boolean {
  try {
    return readlinkSync(path) !== "";
  } catch {
    return false;
  }
}
