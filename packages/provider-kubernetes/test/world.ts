import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isProviderError, type ProviderError } from "@slipway/core";
import { refusals } from "@slipway/provider-kit/errors";
import { onTestFinished } from "vitest";
import type { AccessRefusal } from "../src/access/kubeconfig.ts";

/** The refusals of a call named `list`. */
export const refuse: AccessRefusal = (code, message, details) => refusals("kubernetes")(code, "list", message, details);

/** A folder that is gone after the test. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "slipway-kubernetes-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A kubeconfig with one context; the parts replace or add entries. JSON is YAML. */
export function kubeconfig(
  parts: { readonly cluster?: object; readonly user?: object; readonly more?: object } = {},
): string {
  const { cluster = {}, user = { token: "a-secret-token" }, more = {} } = parts;
  return JSON.stringify({
    "current-context": "here",
    contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "machines" } }],
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:6443", ...cluster } }],
    users: [{ name: "u", user }],
    ...more,
  });
}

export async function writeKubeconfig(text: string): Promise<string> {
  const file = path.join(await newFolder(), "config");
  await writeFile(file, text);
  return file;
}

/** The ProviderError that a call rejects with. */
export async function failure(call: Promise<unknown>): Promise<ProviderError> {
  try {
    await call;
  } catch (error) {
    if (isProviderError(error)) return error;
    throw error;
  }
  throw new Error("the call resolved");
}

export async function all<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
}
