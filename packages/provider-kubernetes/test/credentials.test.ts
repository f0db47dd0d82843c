import { writeFile } from "node:fs/promises";
import path from "node:path";
import { inspect } from "node:util";
import type { Exec } from "@slipway/core";
import { CommandError } from "@slipway/provider-kit/command";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import { credentialsOf } from "../src/access/credentials.ts";
import type { ClusterAccess, TokenSource } from "../src/access/kubeconfig.ts";
import { kubernetes } from "../src/index.ts";
import { failure, kubeconfig, newFolder, refuse, writeKubeconfig } from "./world.ts";

const accessWith = (source: TokenSource): ClusterAccess => ({
  context: "here",
  server: "https://127.0.0.1:6443",
  namespace: "machines",
  tls: { ca: "CA", cert: undefined, key: undefined, servername: undefined, insecure: false },
  source,
});

const plugin = {
  ...{ command: "login", args: ["token"], env: { REGION: "r" }, provideClusterInfo: true, installHint: undefined },
  apiVersion: "client.authentication.k8s.io/v1",
};

/** A plugin that gives a new token each time, good for a minute. */
function pluginThatCounts(clock: { now: () => number }, seen: { env?: Readonly<Record<string, string>> }[]): Exec {
  return async (_file, _args, options = {}) => {
    seen.push({ env: options.env ?? {} });
    const status = { token: `token-${seen.length}`, expirationTimestamp: new Date(clock.now() + 60_000).toISOString() };
    const stdout = JSON.stringify({ kind: "ExecCredential", status });
    return { exitCode: 0, signal: null, stdout, stderr: "" };
  };
}

describe("an exec plugin", () => {
  test("is told the cluster, and is asked again before its token ends", async () => {
    const clock = simulatedClock();
    const seen: { env?: Readonly<Record<string, string>> }[] = [];
    const credentials = credentialsOf(accessWith({ kind: "exec", plugin }), {
      clock,
      exec: pluginThatCounts(clock, seen),
    });
    const both = await Promise.all([credentials.current(refuse), credentials.current(refuse)]);
    expect(both.map(({ token }) => token)).toEqual(["token-1", "token-1"]);
    expect(seen[0]?.env?.["REGION"]).toBe("r");
    expect(JSON.parse(seen[0]?.env?.["KUBERNETES_EXEC_INFO"] ?? "")).toMatchObject({
      kind: "ExecCredential",
      spec: { interactive: false, cluster: { server: "https://127.0.0.1:6443" } },
    });
    await clock.sleep(25_000);
    expect((await credentials.current(refuse)).token).toBe("token-1");
    await clock.sleep(10_000);
    expect((await credentials.current(refuse)).token).toBe("token-2");
    expect((await credentials.current(refuse, true)).token).toBe("token-3");
  });

  test("that fails is one line, with the hint of the kubeconfig", async () => {
    const exec: Exec = async () => ({ exitCode: 1, signal: null, stdout: "", stderr: "a-secret-token" });
    const source = { kind: "exec", plugin: { ...plugin, installHint: "install login" } } as const;
    const error = await failure(credentialsOf(accessWith(source), { clock: simulatedClock(), exec }).current(refuse));
    expect(error).toMatchObject({ code: "AUTH_ERROR", hint: "install login" });
    expect(JSON.stringify(error)).not.toContain("a-secret-token");
  });
});

test("what an exec plugin has printed, and its arguments, are in no error and in no cause of one", async () => {
  const faults = [
    { fault: "timedOut", reason: "it was ended after 60 s", started: true },
    { fault: "outputTooLarge", reason: "it printed more than 16 MiB", started: true },
  ] as const;
  for (const fault of faults) {
    const exec: Exec = async (file, args) => {
      const printed = { stdout: '{"status":{"token":"a-secret-token"}}', stderr: "for a-secret-token" };
      throw new CommandError({ ...fault, ...printed, command: [file, ...args], durationMs: 1 });
    };
    const source = { kind: "exec", plugin: { ...plugin, args: ["--password", "a-secret-word"] } } as const;
    const error = await failure(credentialsOf(accessWith(source), { clock: simulatedClock(), exec }).current(refuse));
    expect(error.code).toBe("AUTH_ERROR");
    const all = inspect(error, { depth: null, showHidden: true });
    expect(all).toContain(fault.reason);
    expect(all).not.toMatch(/a-secret-(token|word)/);
  }
});

test("a token file is read again after a minute", async () => {
  const file = path.join(await newFolder(), "token");
  const clock = simulatedClock();
  await writeFile(file, "one\n");
  const credentials = credentialsOf(accessWith({ kind: "file", path: file }), { clock });
  expect((await credentials.current(refuse)).token).toBe("one");
  await writeFile(file, "two\n");
  expect((await credentials.current(refuse)).token).toBe("one");
  await clock.sleep(61_000);
  expect((await credentials.current(refuse)).token).toBe("two");
});

test("a refused token is asked for again once, and the call goes on", async () => {
  const clock = simulatedClock();
  const sent: string[] = [];
  const fetch: typeof globalThis.fetch = async (_input, init) => {
    const token = new Headers(init?.headers).get("authorization") ?? "";
    sent.push(token);
    const headers = { "content-type": "application/json" };
    const refused = { kind: "Status", message: "Unauthorized", reason: "Unauthorized", code: 401 };
    if (token !== "Bearer token-2") return new Response(JSON.stringify(refused), { status: 401, headers });
    return new Response(JSON.stringify({ kind: "PodList", items: [], metadata: {} }), { headers });
  };
  const file = await writeKubeconfig(kubeconfig({ user: { exec: { command: "login" } } }));
  const runtime = { clock, fetch, exec: pluginThatCounts(clock, []) };
  const provider = kubernetes({ owner: "o", kubeconfig: file, runtime });
  // An empty list asks whether the namespace is there.
  expect(await provider.list()).toEqual([]);
  expect(sent).toEqual(["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
});
