import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { KubeconfigError, kubeconfigText, mergeKubeconfig, removeFromKubeconfig } from "../../src/cluster/index.ts";
import { checkKubeconfig } from "../../src/cluster/kubeconfig.ts";

const ADMIN = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Y2E=
    server: https://10.0.0.1:6443
  name: kubernetes
users:
- name: kubernetes-admin
  user:
    client-key-data: a2V5
`;
const entry = (clusterName: string, more: { endpoint?: string; currentContext?: boolean; owner?: string } = {}) => ({
  clusterName,
  owner: "me",
  admin: ADMIN,
  endpoint: "https://127.0.0.1:40001",
  currentContext: false,
  ...more,
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-kubeconfig-"));
  path = join(folder, ".kube", "config");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const read = (): Record<string, unknown> => parse(readFileSync(path, "utf8")) as Record<string, unknown>;

describe("a kubeconfig", () => {
  test("that is not there is made, for its owner alone", async () => {
    await mergeKubeconfig(path, entry("a"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(read()).toEqual({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "slipway-a",
          cluster: {
            "certificate-authority-data": "Y2E=",
            server: "https://127.0.0.1:40001",
            extensions: [{ name: "slipway", extension: { owner: "me" } }],
          },
        },
      ],
      users: [{ name: "slipway-a", user: { "client-key-data": "a2V5" } }],
      contexts: [{ name: "slipway-a", context: { cluster: "slipway-a", user: "slipway-a" } }],
    });
  });

  test("keeps what is in it, comments and all, and what it was lies beside it", async () => {
    await mergeKubeconfig(path, entry("a"));
    const mine =
      "# mine\napiVersion: v1\nkind: Config\ncurrent-context: work\nclusters:\n  - name: work # the office\n    cluster: { server: https://work }\nusers: []\ncontexts: null\nextensions: [1]\n";
    writeFileSync(path, mine);
    await mergeKubeconfig(path, entry("a"));
    const text = readFileSync(path, "utf8");
    expect(text).toContain("# mine");
    expect(text).toContain("# the office");
    expect(read()).toMatchObject({ "current-context": "work", extensions: [1] });
    expect(read()["clusters"]).toHaveLength(2);
    expect(readFileSync(`${path}.slipway-backup`, "utf8")).toBe(mine);
    await removeFromKubeconfig(path, { clusterName: "a", owner: "me" });
    expect(read()).toMatchObject({ "current-context": "work", clusters: [{ name: "work" }], users: [], contexts: [] });
  });

  test("has a cluster once, with its latest endpoint", async () => {
    await mergeKubeconfig(path, entry("a"));
    await mergeKubeconfig(path, entry("b"));
    await mergeKubeconfig(path, entry("a", { endpoint: "https://127.0.0.1:40002" }));
    expect(read()["clusters"]).toHaveLength(2);
    expect(readFileSync(path, "utf8")).toContain("40002");
  });

  test("has its current context changed only when asked, and cleared with the cluster", async () => {
    await mergeKubeconfig(path, entry("a", { currentContext: true }));
    expect(read()["current-context"]).toBe("slipway-a");
    await mergeKubeconfig(path, entry("b"));
    expect(read()["current-context"]).toBe("slipway-a");
    await removeFromKubeconfig(path, { clusterName: "a", owner: "me" });
    expect(read()["current-context"]).toBe("");
  });

  test("that is a link stays one, and keeps its mode", async () => {
    const target = join(folder, "target");
    writeFileSync(target, "kind: Config\n", { mode: 0o640 });
    symlinkSync(target, join(folder, "link"));
    path = join(folder, "link");
    await mergeKubeconfig(path, entry("a"));
    expect(readFileSync(target, "utf8")).toContain("slipway-a");
    expect(statSync(target).mode & 0o777).toBe(0o640);
  });

  test("that is JSON is one too", async () => {
    path = join(folder, "json");
    writeFileSync(path, JSON.stringify({ kind: "Config", clusters: [{ name: "x", cluster: {} }] }));
    await mergeKubeconfig(path, entry("a"));
    expect(read()["clusters"]).toMatchObject([{ name: "x" }, { name: "slipway-a" }]);
  });

  test.each(["{ not: [closed", "- a list\n- of things\n", "\u0000\u0001"])(
    "that is %j is left as it is",
    async (text) => {
      path = join(folder, "garbage");
      writeFileSync(path, text);
      await expect(mergeKubeconfig(path, entry("a"))).rejects.toBeInstanceOf(KubeconfigError);
      expect(readFileSync(path, "utf8")).toBe(text);
      expect(existsSync(`${path}.lock`)).toBe(false);
    },
  );

  test("takes no half admin.conf", async () => {
    await expect(mergeKubeconfig(path, { ...entry("a"), admin: "clusters: []\n" })).rejects.toThrow("names no cluster");
    expect(existsSync(path)).toBe(false);
  });

  test("loses nothing where many write at once", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
    await Promise.all(names.map((name) => mergeKubeconfig(path, entry(name))));
    expect(read()["clusters"]).toHaveLength(20);
    await Promise.all(names.slice(0, 10).map((name) => removeFromKubeconfig(path, entry(name))));
    expect(read()["clusters"]).toHaveLength(10);
  });

  test("is never locked for good by a process that was killed, at whatever step", async () => {
    const child = fileURLToPath(new URL("merge-and-die.ts", import.meta.url));
    let killed = 0;
    for (let fatal = 1; ; fatal++) {
      path = join(folder, `killed-${fatal}`);
      await mergeKubeconfig(path, entry("a"));
      const argv = ["--conditions=@slipway/source", "--no-warnings", child, path, String(fatal)];
      const { signal, status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", timeout: 60_000 });
      if (signal === null) {
        expect(status, stderr).toBe(0);
        break;
      }
      killed += 1;
      await mergeKubeconfig(path, entry("b"));
      const names = (read()["clusters"] as readonly { name: string }[]).map(({ name }) => name);
      expect(names.filter((name) => name !== "slipway-killed")).toEqual(["slipway-a", "slipway-b"]);
      expect(existsSync(`${path}.lock`)).toBe(false);
    }
    expect(killed).toBeGreaterThan(10);
  });

  test("of which nothing is to be removed is not touched", async () => {
    await removeFromKubeconfig(path, { clusterName: "a", owner: "me" });
    expect(existsSync(path)).toBe(false);
    await mergeKubeconfig(path, entry("b"));
    const before = statSync(path).mtimeMs;
    await removeFromKubeconfig(path, { clusterName: "a", owner: "me" });
    expect(statSync(path).mtimeMs).toBe(before);
  });

  test("keeps another owner's cluster of the same name: neither replaced nor removed", async () => {
    await mergeKubeconfig(path, entry("a"));
    const before = readFileSync(path, "utf8");
    const theirs = entry("a", { owner: "somebody", endpoint: "https://127.0.0.1:40002" });
    await expect(mergeKubeconfig(path, theirs)).rejects.toThrow(/slipway-a of another owner, me/);
    await expect(checkKubeconfig(path, theirs)).rejects.toThrow(KubeconfigError);
    await removeFromKubeconfig(path, theirs);
    expect(readFileSync(path, "utf8")).toBe(before);
    await checkKubeconfig(path, entry("a"));
  });

  test("is checked before there is a cluster: one that is not there is fine, one that is no YAML is not", async () => {
    await checkKubeconfig(path, entry("a"));
    expect(existsSync(path)).toBe(false);
    const broken = join(folder, "broken");
    writeFileSync(broken, ": : not yaml [");
    await expect(checkKubeconfig(broken, entry("a"))).rejects.toThrow(KubeconfigError);
  });
});

test("one cluster's own kubeconfig is whole", () => {
  expect(parse(kubeconfigText(entry("a")))).toMatchObject({
    "current-context": "slipway-a",
    clusters: [{ name: "slipway-a", cluster: { server: "https://127.0.0.1:40001" } }],
    users: [{ user: { "client-key-data": "a2V5" } }],
  });
});
