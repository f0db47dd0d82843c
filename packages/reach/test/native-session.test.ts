import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitForStatus } from "@slipway/control";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { type LocalProvider, local } from "@slipway/provider-local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openNativeSession } from "../src/native-session.ts";
import { openSession } from "../src/open-session.ts";
import type { Session } from "../src/session.ts";

describe("a session over a provider's own exec", () => {
  let directory: string;
  let provider: LocalProvider;
  let session: Session;
  let id: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-native-"));
    provider = local({ owner: "reach", stateDirectory: directory });
    ({ id } = await provider.spawn({ key: "one" }));
    await waitForStatus(provider, id, "running");
    session = await openSession(provider, id);
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await provider.terminate(id);
    await rm(directory, { recursive: true, force: true });
  });

  it.each([
    [0, "exit 0"],
    [3, "exit 3"],
    [255, "exit 255"],
    [137, "kill -9 $$"],
  ])("gives exit code %i", async (code, script) => {
    expect((await session.exec(["/bin/sh", "-c", script])).exitCode).toBe(code);
  });

  it("sets environment and directory, and leaves the input to the command", async () => {
    const result = await session.exec(["/bin/sh", "-c", 'pwd; echo "$SECRET"; cat'], {
      cwd: "/usr",
      environment: { SECRET: "it's $HOME" },
      stdin: "the input\n",
    });
    expect(result.stdout).toBe("/usr\nit's $HOME\nthe input\n");
    expect((await session.exec(["true"], { cwd: "/no/such/place" })).exitCode).toBe(126);
  });

  it("carries bytes in", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const result = await session.exec(["/bin/sh", "-c", "wc -c; exit 4"], { stdin: bytes });
    expect(result).toMatchObject({ exitCode: 4, stdout: expect.stringMatching(/^\s*256\n$/) });
  });

  it("ends a command that says its process id only after the abort", async () => {
    const stop = new AbortController();
    const aborted = once(stop.signal, "abort");
    // As OrbStack's and Apple's: the end of the client ends nothing inside. And what comes on stderr is late.
    const exec: LocalProvider["exec"] = async (instanceId, argv, { signal, onStderr, ...options } = {}) => {
      const late = (chunk: string): void => void aborted.then(() => setImmediate(() => onStderr?.(chunk)));
      const running = provider.exec(instanceId, argv, { ...options, onStderr: late });
      running.catch(() => undefined);
      const ended = Promise.withResolvers<never>();
      signal?.addEventListener("abort", () => ended.reject(signal.reason), { once: true });
      return await Promise.race([running, ended.promise]);
    };
    await using slow = openNativeSession({ ...provider, exec }, id);
    const running = slow.exec(["/bin/sh", "-c", "echo up; exec sleep 4000123"], {
      signal: stop.signal,
      onStdout: () => stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    const looked = await session.exec(["/bin/sh", "-c", 'cat /proc/[0-9]*/cmdline | tr "\\0" " "; exit 0']);
    expect(looked.stdout).toContain("/proc/");
    expect(looked.stdout).not.toMatch(/sleep 4000123 /);
  });

  it("lets an aborted command go that says nothing for three seconds", async () => {
    const clock = simulatedClock({ auto: false });
    const stop = new AbortController();
    const exec: LocalProvider["exec"] = async (_id, _argv, { signal } = {}) => {
      const ended = Promise.withResolvers<never>();
      signal?.addEventListener("abort", () => ended.reject(signal.reason), { once: true });
      return await ended.promise;
    };
    await using silent = openNativeSession({ ...provider, exec }, id, { clock });
    const running = silent.exec(["true"], { signal: stop.signal });
    stop.abort();
    await clock.advance(2_999);
    const state = await Promise.race([running.catch(() => "ended"), Promise.resolve("held")]);
    expect(state).toBe("held");
    await clock.advance(1);
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
  });

  it("refuses names and values that would be shell text", async () => {
    for (const options of [{ environment: { "A;touch x": "1" } }, { environment: { A: "1\n2" } }, { cwd: "" }]) {
      await expect(session.exec(["true"], options)).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    }
  });
});
