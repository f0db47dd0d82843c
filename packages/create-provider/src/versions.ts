import { readFile } from "node:fs/promises";

const NAMES: Readonly<Record<string, string>> = {
  __BIOME__: "@biomejs/biome",
  __CONTRACT_TESTS__: "@slipway/contract-tests",
  __CORE__: "@slipway/core",
  __KIT__: "@slipway/provider-kit",
  __TYPES_NODE__: "@types/node",
  __TYPESCRIPT__: "typescript",
  __VITEST__: "vitest",
  __ZOD__: "zod",
};

/**
 * The versions that the written package names: those that this one was tested with. They stand in its own package.json as
 * dev dependencies, where a release keeps them true by itself.
 */
export async function versions(): Promise<ReadonlyMap<string, string>> {
  const { devDependencies } = await ownManifest();
  return new Map(Object.entries(NAMES).map(([placeholder, name]) => [placeholder, devDependencies[name] ?? "latest"]));
}

export async function ownVersion(): Promise<string> {
  return (await ownManifest()).version;
}

interface Manifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

async function ownManifest(): Promise<Manifest> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  // This package's own.
  return JSON.parse(text) as Manifest;
}
