import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { appleContainer, register } from "../src/index.ts";
import { answeringExec } from "./answering-exec.ts";
import { failure } from "./failure.ts";

const exec = answeringExec({});
const env = { owner: "t", variables: {}, runtime: { exec } };

describe("networks", () => {
  const plain = appleContainer({ owner: "t", variables: {}, runtime: { exec } });
  const networked = appleContainer({ owner: "t", networks: true, variables: {}, runtime: { exec } });

  test("are a capability only where they were asked for", async () => {
    expect([plain.capabilities.customNetworking, networked.capabilities.customNetworking]).toEqual([false, true]);
    expect((await register({ networks: true }, env)).provider.capabilities.customNetworking).toBe(true);
    expect(plain.whyNot.customNetworking).toContain("networks: true");
  });

  test("are refused by the compiler, and at run time, where they were not", async () => {
    // @ts-expect-error the plain provider has no option network
    const error = await failure(plain.spawn({ network: { isolated: true } }));
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
  });

  test.each([{ subnet: "10.0.0.0/8" }, { firewalls: ["x"] }, { id: "--flag" }, { id: "a", isolated: true }])(
    "%j is no network",
    async (network) => {
      expect(await failure(networked.spawn({ network }))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    },
  );
});

test("a wrong config or owner is refused", async () => {
  expect(await failure(register({ image: "-x" }, env))).toMatchObject({ code: "INVALID_SPEC", operation: "register" });
  expect(() => appleContainer({ owner: "Not An Owner" })).toThrow(/owner/);
});

test("a heartbeat counts what is there", async () => {
  const labels = { "dev.slipway.owner": "t", "dev.slipway.key": "k", "dev.slipway.expires-at": "2020-01-01T00:00:00Z" };
  const rows = [
    { id: "a", configuration: { labels }, status: { state: "running" } },
    { id: "b", configuration: { labels: { ...labels, "dev.slipway.owner": "else" } }, status: { state: "running" } },
    { id: "c", configuration: { labels }, status: { state: "stopped" } },
    { id: "unmanaged", configuration: {}, status: { state: "running" } },
  ];
  const runtime = { exec: answeringExec({ list: { stdout: JSON.stringify(rows) } }) };
  const { hooks } = await register({}, { ...env, runtime });
  const tasks = ["health_check", "reconcile", "orphan_scan", "refresh_prices"] as const;
  const { receipts } = await hooks.onHeartbeat({ tasks, deadline: new Date(Date.now() + 60_000).toISOString() });
  expect(receipts.map((receipt) => (receipt.ok ? receipt.details : receipt.error.code))).toEqual([
    { service: "running", version: "1.2.2" },
    { running: 1, stopped: 1 },
    { ours: 2, others: 1, expired: 2, halfMade: 1 },
    { known: false },
  ]);
});

test("the main entry loads nothing of the emulator", async () => {
  const loaded = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (loaded.has(file.href)) return;
    loaded.add(file.href);
    const text = await readFile(file, "utf8");
    for (const [, path] of text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) {
      if (path !== undefined) await visit(new URL(path, file));
    }
    expect(text).not.toContain("@slipway/provider-kit/emulator");
  };
  await visit(new URL("../src/index.ts", import.meta.url));
  const names = [...loaded].map((href) => href.slice(href.indexOf("/src/") + 5));
  expect(names).toContain("client.ts");
  expect(names.filter((name) => name.startsWith("emulator"))).toEqual([]);
});
