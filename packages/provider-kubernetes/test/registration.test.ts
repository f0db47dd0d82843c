import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { kubernetes, kubernetesErrorTable, register } from "../src/index.ts";
import { PERMISSIONS } from "../src/permissions.ts";
import { failure, kubeconfig, writeKubeconfig } from "./world.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("register takes the kubeconfig from KUBECONFIG, and reads nothing", async () => {
  const urls: string[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    urls.push(String(input));
    const allowed = { kind: "Namespace", status: { allowed: true } };
    return new Response(JSON.stringify(allowed), { headers: { "content-type": "application/json" } });
  };
  const KUBECONFIG = await writeKubeconfig(kubeconfig());
  const { hooks } = await register({}, { owner: "o", variables: { KUBECONFIG }, runtime: { fetch } });
  expect(urls).toEqual([]);
  await hooks.onStartup();
  expect(urls.at(-1)).toBe("https://127.0.0.1:6443/api/v1/namespaces/machines");
  expect(urls.filter((url) => url.includes("/selfsubjectaccessreviews?fieldValidation=Strict"))).toHaveLength(
    PERMISSIONS.length,
  );
});

test("without a kubeconfig the first call says where to put one", async () => {
  const { provider } = await register({ kubeconfig: "/nowhere" }, { owner: "o", variables: {} });
  expect(await failure(provider.list())).toMatchObject({ code: "AUTH_ERROR", operation: "list", effect: "none" });
});

test("an id of another context is no guess", async () => {
  const file = await writeKubeconfig(kubeconfig());
  const provider = kubernetes({ owner: "o", kubeconfig: file });
  const error = await failure(provider.get("elsewhere/machines/slip-a/uid"));
  expect(error.code).toBe("INVALID_SPEC");
  expect(error.message).toContain("the context elsewhere");
});

test("the README names every capability, code and right", () => {
  const provider = kubernetes({ owner: "docs" });
  for (const [capability, on] of Object.entries(provider.capabilities)) {
    expect(readme).toContain(`| ${capability} | ${on ? "yes" : "no"} |`);
  }
  for (const { code } of kubernetesErrorTable) expect(readme).toContain(code);
  const [, role = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  const shown = [...role.matchAll(/resources: \[([^\]]+)\]\n\s+verbs: \[([^\]]*)\]/g)].flatMap(
    ([, resources = "", verbs = ""]) =>
      resources.split(", ").flatMap((resource) => verbs.split(", ").map((verb) => `${verb} ${resource}`)),
  );
  expect(shown.toSorted()).toEqual(PERMISSIONS.map(({ verb, resource }) => `${verb} ${resource}`).toSorted());
});

describe("several contexts", () => {
  const config = async () => ({
    contexts: ["east", "west"],
    kubeconfig: await writeKubeconfig(
      kubeconfig({
        more: {
          contexts: ["east", "west"].map((name) => ({ name, context: { cluster: name, namespace: "machines" } })),
          clusters: ["east", "west"].map((name) => ({ name, cluster: { server: `https://${name}.test` } })),
        },
      }),
    ),
  });
  const answer = (status: number, json: object) =>
    new Response(JSON.stringify(json), { status, headers: { "content-type": "application/json" } });

  test("are regions: a listing asks each, and one that fails is named by its scope", async () => {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      const { host } = new URL(String(input));
      asked.push(host);
      if (host === "west.test") return answer(403, { reason: "Forbidden", message: 'User "u" cannot list resource' });
      return answer(200, { kind: "PodList", items: [] });
    };
    const provider = kubernetes({ owner: "o", ...(await config()), runtime: { fetch } });
    expect(await provider.listRegions()).toEqual(["east", "west"].map((id) => ({ id, name: id })));
    expect(await failure(provider.list())).toMatchObject({ code: "AUTH_ERROR", scope: "region" });
    expect(new Set(asked)).toEqual(new Set(["east.test", "west.test"]));
    expect(await provider.list({ region: "east" })).toEqual([]);
  });

  test("are all there is: another one is refused, and a bare native id is looked for in each", async () => {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      asked.push(new URL(String(input)).host);
      return answer(404, { reason: "NotFound", message: "not found", details: { kind: "pods" } });
    };
    const provider = kubernetes({ owner: "o", ...(await config()), runtime: { fetch } });
    const error = await failure(provider.spawn({ key: "k", image: "i", region: "north" }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(asked).toEqual([]);
    expect(await provider.get("machines/slip-a/uid")).toBeNull();
    expect(asked).toEqual(["east.test", "west.test"]);
  });
});
