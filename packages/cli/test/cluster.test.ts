import { pathToFileURL } from "node:url";
import * as memoryPackage from "@slipway/provider-memory";
import { describe, expect, it } from "vitest";
import { commandLine } from "./command-line.ts";

/** The command on a provider whose clusters are records. */
function onMemory() {
  const world = memoryPackage.memoryWorld();
  const line = commandLine();
  const file = (path: string) => pathToFileURL(line.write(path, "")).href;
  line.modules.set(file("memory.mjs"), () => memoryPackage);
  const providers = { memory: { package: "./memory.mjs", config: { world } } };
  line.modules.set(file("slipway.config.mjs"), () => ({ default: { provider: "memory", providers } }));
  const slipway = (args: readonly string[], input = "") =>
    line.slipway(["cluster", ...args], { clock: world.clock, input });
  return { world, slipway };
}

describe("slipway cluster", () => {
  it("creates, lists, tells the endpoint, runs a command and deletes", async () => {
    const { slipway } = onMemory();
    expect((await slipway(["list"])).stderr).toBe("No clusters.\n");
    const made = await slipway(["create", "demo", "--nodes", "2", "--no-kubeconfig"]);
    expect(made).toMatchObject({ exitCode: 0 });
    expect(made.stdout).toMatch(/demo .* control-plane +running/);
    expect(made.stdout).toContain("slipway cluster delete demo --provider memory");
    const url = (await slipway(["endpoint", "demo"])).stdout.trim();
    expect(url).toMatch(/^https:\/\//);
    expect(made.stdout).toContain(url);
    const listed = (await slipway(["list", "--json"])).json();
    expect(listed).toMatchObject([{ name: "demo", nodes: [{ role: "control-plane" }, { role: "worker" }] }]);
    expect(await slipway(["exec", "demo", "--", "echo", "a  b"])).toMatchObject({ exitCode: 0, stdout: "a  b\n" });
    expect(await slipway(["exec", "demo", "-i", "--", "cat"], "typed\n")).toMatchObject({ stdout: "typed\n" });
    expect((await slipway(["exec", "demo", "--", "false"])).exitCode).toBe(1);
    expect((await slipway(["delete", "demo", "demo"])).stdout).toBe("demo is deleted\ndemo was not there\n");
    expect((await slipway(["list", "--json"])).json()).toEqual([]);
  });

  it("answers the same cluster for the same words, and refuses others", async () => {
    const { slipway } = onMemory();
    const words = ["create", "demo", "--no-kubeconfig", "--json"];
    const { nodes } = (await slipway(words)).json() as { nodes: unknown };
    expect((await slipway(words)).json()).toMatchObject({ nodes });
    expect((await slipway([...words, "--nodes", "3"])).error()).toMatchObject({ code: "CONFLICT", effect: "none" });
  });

  it("merges into the user's kubeconfig unless told not to", async () => {
    const { slipway } = onMemory();
    const run = await slipway(["create", "demo", "--json"]);
    expect(run.error()).toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining("kubeconfigPath") });
  });

  it("tells of what is not there", async () => {
    const { slipway } = onMemory();
    expect((await slipway(["endpoint", "nope", "--json"])).error()).toMatchObject({ code: "NOT_FOUND" });
    expect((await slipway(["kubeconfig", "nope", "--json"])).error()).toMatchObject({ code: "NOT_FOUND" });
    expect((await slipway(["exec", "nope", "--json", "--", "true"])).error()).toMatchObject({ code: "NOT_FOUND" });
  });

  it("takes no port that is none", async () => {
    const { slipway } = onMemory();
    for (const port of ["80", "80:", "0:80", "80:70000", "80:80/sctp", "a:b"]) {
      const { exitCode, stderr } = await slipway(["create", "demo", "--port", port]);
      expect({ port, exitCode }).toEqual({ port, exitCode: 2 });
      expect(stderr).toContain("host:node");
    }
  });

  it("says which providers could, where this one makes no clusters", async () => {
    const { slipway } = commandLine();
    const run = await slipway(["cluster", "list", "--json"]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.error()).toMatchObject({ code: "UNSUPPORTED", message: "local makes no clusters" });
  });
});
