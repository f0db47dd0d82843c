import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksumOf, defineProvider, type Instance, type Provider } from "@slipway/core";

/**
 * A remote that is a directory, so that real processes share it. It takes every create for a new one, and its reads show
 * an instance only `lagMs` after it was made.
 */
export function directoryProvider(world: string, lagMs: number): Provider {
  mkdirSync(world, { recursive: true });
  const read = (id: string): Instance | null => {
    const path = join(world, `${id}.json`);
    try {
      if (Date.now() - statSync(path).mtimeMs < lagMs) return null;
      return JSON.parse(readFileSync(path, "utf8")) as Instance;
    } catch {
      return null;
    }
  };
  return defineProvider<Provider>({
    name: "directory",
    owner: "tests",
    tier: "testing",
    capabilities: {},
    whyNot: { idempotentSpawn: "a directory takes every file" },
    limits: { maxUserDataBytes: 1024, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: lagMs, requestLifeMs: 0 },
    spawn: async ({ key = "" }) => {
      const id = randomUUID();
      const instance: Instance = {
        id,
        status: "running",
        provider: "directory",
        nativeId: id,
        key,
        owner: "tests",
        addresses: {},
        isSpot: false,
        labels: {},
        createdAt: new Date().toISOString(),
      };
      writeFileSync(join(world, `${id}.new`), JSON.stringify(instance));
      renameSync(join(world, `${id}.new`), join(world, `${id}.json`));
      return instance;
    },
    terminate: async (id) => rmSync(join(world, `${id}.json`), { force: true }),
    get: async (id) => read(id),
    list: async (filter = {}) =>
      readdirSync(world)
        .filter((name) => name.endsWith(".json"))
        .map((name) => read(name.slice(0, -".json".length)))
        .filter((instance) => instance !== null)
        .filter(({ id }) => filter.ids === undefined || filter.ids.includes(id))
        .filter(({ key }) => filter.keys === undefined || filter.keys.includes(key ?? "")),
    generateBootstrap: ({ script }) => ({
      content: script,
      format: "shell",
      checksum: checksumOf(script),
      byteLength: Buffer.byteLength(script),
    }),
  });
}
