import type { PathLike } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { kubernetes } from "../src/index.ts";
import { failure, newFolder } from "./world.ts";

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/";
const MOUNTED: Readonly<Record<string, string>> = { token: "a-pod-token", "ca.crt": "CA", namespace: "of-the-pod" };

// What the kubelet mounts into a pod; every other file is this machine's.
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const readFile = async (path: PathLike, encoding: BufferEncoding): Promise<string> => {
    const found = String(path).startsWith(ACCOUNT) ? MOUNTED[String(path).slice(ACCOUNT.length)] : undefined;
    return found ?? (await real.readFile(path, encoding));
  };
  return { ...real, readFile };
});

/** In a pod without a kubeconfig: what was asked of which server, and the provider that asks. */
async function inPod(context?: string) {
  vi.stubEnv("HOME", await newFolder());
  vi.stubEnv("KUBERNETES_SERVICE_HOST", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { origin, pathname } = new URL(String(input));
    asked.push(`${origin}${pathname} ${new Headers(init?.headers).get("authorization")}`);
    return Response.json({ kind: "PodList", items: [], metadata: {} });
  };
  return { asked, provider: kubernetes({ owner: "o", context, runtime: { fetch } }) };
}

test.each([undefined, "in-cluster"])("a pod's own cluster is the one without a name, and %s", async (context) => {
  const { asked, provider } = await inPod(context);
  expect(await provider.list()).toEqual([]);
  expect(asked[0]).toBe("https://kubernetes.default.svc/api/v1/namespaces/of-the-pod/pods Bearer a-pod-token");
});

test.each([
  ["10.0.0.1", "443", "https://10.0.0.1/"],
  ["fd00::1", "6443", "https://[fd00::1]:6443/"],
])(
  "the address that a kubelet gives to each container counts, also where no name is known: %s",
  async (host, port, at) => {
    const { asked, provider } = await inPod();
    vi.stubEnv("KUBERNETES_SERVICE_HOST", host);
    vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
    await provider.list();
    expect(asked[0]?.startsWith(`${at}api/v1/namespaces/of-the-pod/pods `)).toBe(true);
  },
);

test("a context with a name is never the pod's own cluster", async () => {
  const { asked, provider } = await inPod("production");
  const error = await failure(provider.list());
  expect(error).toMatchObject({ code: "AUTH_ERROR", effect: "none" });
  expect(error.message).toContain("there is no kubeconfig at");
  expect(await failure(provider.spawn({ key: "k" }))).toMatchObject({ code: "AUTH_ERROR", effect: "none" });
  expect(asked).toEqual([]);
});
