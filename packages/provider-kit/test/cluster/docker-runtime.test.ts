import type { CommandResult, Exec } from "@slipway/core";
import { expect, test } from "vitest";
import { clusterProvider } from "../../src/cluster/index.ts";
import { dockerRuntime } from "./docker-runtime.ts";

/** A docker with one container at most, in which every program does as it should. */
function emulatedDocker(): { readonly exec: Exec; readonly sent: (readonly string[])[] } {
  const sent: (readonly string[])[] = [];
  let run: readonly string[] | undefined;
  const notes = new Set<string>();
  const said = (stdout = "", exitCode = 0): CommandResult => ({ exitCode, signal: null, stdout, stderr: "" });
  const all = (flag: string): readonly string[] =>
    (run ?? []).flatMap((word, at) => (run?.[at - 1] === flag ? [word] : []));
  const inside: Readonly<Record<string, (argv: readonly string[], stdin: string) => CommandResult>> = {
    test: ([, path = ""]) => said("", notes.has(path) ? 0 : 1),
    touch: ([path = ""]) => {
      notes.add(path);
      return said();
    },
    cat: ([path = ""]) => said(path.endsWith("version") ? "v1.34.0\n" : "kind: Thing\n"),
    kubectl: (argv) => said(argv.includes("--raw=/readyz") ? "ok" : ""),
  };
  const exec: Exec = async (_program, args, { stdin } = {}) => {
    sent.push(args);
    const [verb, ...words] = args;
    if (verb === "run") run = args;
    if (verb === "rm") run = undefined;
    if (verb === "ps") return said(run === undefined ? "" : "abc\n");
    if (verb === "inspect") {
      const labels = all("--label").map((label) => [
        label.slice(0, label.indexOf("=")),
        label.slice(label.indexOf("=") + 1),
      ]);
      const Config = { Image: run?.at(-1), Labels: Object.fromEntries(labels) };
      const NetworkSettings = { IPAddress: "172.17.0.2", Ports: { "6443/tcp": [{ HostPort: "49153" }] } };
      const Created = "2026-01-01T00:00:00Z";
      return said(
        JSON.stringify([
          { Id: "abc", Name: `/${all("--name")[0]}`, Created, Config, State: { Running: true }, NetworkSettings },
        ]),
      );
    }
    if (verb !== "exec") return said();
    const [id, program = "", ...argv] = words.filter((word) => word !== "--interactive");
    expect(id).toBe("abc");
    return inside[program]?.(argv, String(stdin ?? "")) ?? said();
  };
  return { exec, sent };
}

test("another runtime makes clusters with no Kubernetes of its own", async () => {
  const { exec, sent } = emulatedDocker();
  const cluster = clusterProvider(dockerRuntime("t", exec));
  const made = await cluster.provision({ name: "demo" });
  expect(made).toMatchObject({
    name: "demo",
    owner: "t",
    nodes: [{ id: "abc", role: "control-plane", address: "172.17.0.2" }],
  });
  expect(await cluster.getApiServerEndpoint(made)).toBe("https://127.0.0.1:49153");
  expect(sent.some((args) => args.includes("--privileged") && args.includes("127.0.0.1::6443/tcp"))).toBe(true);
  expect(sent.filter((args) => args.includes("init"))).toHaveLength(1);
  await cluster.provision({ name: "demo" });
  expect(sent.filter((args) => args.includes("init"))).toHaveLength(1);
  await cluster.deleteNodes(made.nodes);
  expect(await cluster.listClusters()).toEqual([]);
});
