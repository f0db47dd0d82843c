import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { register } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("the kubeconfig of another cluster configures nothing here: CoreWeave has a variable of its own", async () => {
  const variable = "COREWEAVE_KUBECONFIG";
  expect(manifest.slipway.variables).toEqual([variable]);
  expect(readme).toContain(variable);
  const variables = { KUBECONFIG: "/nowhere/generic", [variable]: "/nowhere/coreweave" };
  const { provider } = await register({}, { owner: "o", variables });
  await expect(provider.list()).rejects.toMatchObject({
    code: "AUTH_ERROR",
    message: "there is no kubeconfig at /nowhere/coreweave",
    hint: `Set ${variable}, or give kubeconfig in the config.`,
  });
});

test("without its own variable the kubeconfig of KUBECONFIG is not read", async () => {
  const urls: string[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    urls.push(String(input));
    throw new TypeError("fetch failed");
  };
  const variables = { KUBECONFIG: "/nowhere/generic" };
  const { provider } = await register({ context: "c" }, { owner: "o", variables, runtime: { fetch } });
  await expect(provider.list()).rejects.not.toMatchObject({ message: expect.stringContaining("/nowhere/generic") });
});

test("the Role of the README is that of provider-kubernetes", async () => {
  const role = async (file: string) =>
    /```yaml\n([\s\S]*?kind: Role\n[\s\S]*?)```/.exec(await readFile(new URL(file, import.meta.url), "utf8"))?.[1];
  expect(await role("../README.md")).toBe(await role("../../provider-kubernetes/README.md"));
});
