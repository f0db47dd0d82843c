import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import type { KubernetesProvider, KubernetesSpawnOptions } from "../../src/index.ts";
import { all, failure } from "../world.ts";
import { clusterWorld } from "./world.ts";

/** A pod that runs on the real node. */
async function runningPod(more: Partial<KubernetesSpawnOptions> = {}): Promise<{
  readonly provider: KubernetesProvider;
  readonly id: string;
}> {
  const { provider } = await clusterWorld();
  const { id } = await provider.spawn({ key: crypto.randomUUID(), ...more });
  await vi.waitFor(async () => expect((await provider.get(id))?.status).toBe("running"), { timeout: 120_000 });
  return { provider, id };
}

describe("a command in a real container", () => {
  test("has its own exit code, output and input", async () => {
    const { provider, id } = await runningPod();
    const script = "cat; echo wrong >&2; exit 42";
    const result = await provider.exec(id, ["sh", "-c", script], { stdin: "in ü\n" });
    expect(result).toEqual({ exitCode: 42, stdout: "in ü\n", stderr: "wrong\n" });
    expect(await provider.exec(id, ["printf", "%s|", "a b", "$x", "'"])).toMatchObject({ stdout: "a b|$x|'|" });
    expect(await provider.exec(id, ["/nowhere"])).toMatchObject({ exitCode: 127 });
    expect(await provider.exec(id, ["sh", "-c", "kill -KILL $$"])).toMatchObject({ exitCode: 137 });
    const large = "x".repeat(3_000_000);
    expect((await provider.exec(id, ["wc", "-c"], { stdin: large })).stdout.trim()).toBe("3000000");
    expect((await provider.exec(id, ["head", "-c", "3000000", "/dev/zero"])).stdout).toHaveLength(3_000_000);
  });

  test("is ended by an abort, with what it has started in a session of its own", async () => {
    const { provider, id } = await runningPod();
    const processes = async (): Promise<string> => {
      const look = "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done";
      return (await provider.exec(id, ["sh", "-c", look])).stdout;
    };
    const stop = new AbortController();
    const running = provider.exec(id, ["sh", "-c", "setsid sleep 777 & sleep 778; true"], { signal: stop.signal });
    const ended = failure(running);
    await vi.waitFor(async () => expect(await processes()).toMatch(/sleep 777[^]*sleep 778|sleep 778[^]*sleep 777/), {
      timeout: 20_000,
    });
    stop.abort();
    expect(await ended).toMatchObject({ code: "CANCELLED", effect: "unknown" });
    expect(await processes()).not.toMatch(/^sleep 77[78]/m);
  });

  test("is refused where the container has ended", async () => {
    const { provider } = await clusterWorld();
    const { id } = await provider.spawn({ key: "ended", pod: { command: ["/bin/true"] } });
    await vi.waitFor(async () => expect((await provider.get(id))?.status).toBe("terminated"), { timeout: 120_000 });
    expect(await failure(provider.exec(id, ["true"]))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  });
});

describe("what a real container prints, and its ports", () => {
  test("the log is followed to the pod's end, and can be read after it", async () => {
    const command = ["/bin/sh", "-c", "for i in 1 2 3; do echo line $i; sleep 1; done; printf end"];
    const { provider, id } = await runningPod({ pod: { command } });
    const lines = ["line 1", "line 2", "line 3", "end"];
    expect(await all(provider.logs(id, { follow: true }))).toEqual(lines);
    expect(await all(provider.logs(id))).toEqual(lines);
    expect(await all(provider.logs(id, { tailLines: 2 }))).toEqual(lines.slice(-2));
    const previous = await failure(all(provider.logs(id, { previous: true })));
    expect(previous).toMatchObject({ code: "INVALID_STATE" });
  });

  test("a forwarded port leads to the pod, and one that nobody listens on closes", async () => {
    const { provider, id } = await runningPod();
    const serve = "mkdir -p /tmp/www && echo hello > /tmp/www/index.html && httpd -p 127.0.0.1:8080 -h /tmp/www";
    expect(await provider.exec(id, ["sh", "-c", serve])).toMatchObject({ exitCode: 0 });
    await using forward = await provider.portForward(id, 8080);
    for (let tries = 0; tries < 2; tries += 1) {
      expect(await (await fetch(`http://${forward.host}:${forward.port}/`)).text()).toBe("hello\n");
    }
    await using nobody = await provider.portForward(id, 9999);
    await once(connect(nobody.port, nobody.host), "close");
  });
});
