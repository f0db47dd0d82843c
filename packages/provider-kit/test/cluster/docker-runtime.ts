import { type CommandResult, type Exec, ProviderError, silentLog, systemClock } from "@slipway/core";
import { z } from "zod";
import { type ClusterRuntime, NODE_LABELS, type NodeSpec, type RuntimeNode } from "../../src/cluster/index.ts";

const inspected = z.array(
  z.object({
    Id: z.string(),
    Name: z.string(),
    Created: z.string(),
    Config: z.object({ Image: z.string(), Labels: z.record(z.string(), z.string()) }),
    State: z.object({ Running: z.boolean() }),
    NetworkSettings: z.object({
      IPAddress: z.string(),
      Ports: z.record(z.string(), z.array(z.object({ HostPort: z.string() })).nullable()),
    }),
  }),
);

/** Docker or podman as a runtime of clusters: what decision 0015 speaks of. There is no word of Kubernetes in it. */
export function dockerRuntime(owner: string, exec: Exec, program: "docker" | "podman" = "docker"): ClusterRuntime {
  const docker = async (operation: string, args: readonly string[], signal?: AbortSignal): Promise<CommandResult> => {
    const result = await exec(program, args, { signal, timeoutMs: 120_000 });
    if (result.exitCode === 0) return result;
    const code = /already in use by container/.test(result.stderr) ? "CONFLICT" : "UNAVAILABLE";
    throw new ProviderError(code, { provider: program, operation, effect: "unknown", message: result.stderr });
  };
  return {
    name: program,
    owner,
    clock: systemClock,
    log: silentLog,
    defaults: { image: "kindest/node:v1.34.0", cpus: 4, memoryBytes: 4 * 1024 ** 3 },
    oneNodeOnly: async () => null,
    ensureImage: async ({ operation, signal }, image) => {
      await docker(operation, ["pull", "--quiet", image], signal);
    },
    createNode: async ({ operation, signal }, spec) => {
      await docker(operation, ["run", ...runArguments(spec)], signal);
    },
    startNode: async ({ operation, signal }, id) => {
      await docker(operation, ["start", id], signal);
    },
    nodes: async ({ operation, signal }) => {
      const filters = [`${NODE_LABELS.owner}=${owner}`, NODE_LABELS.cluster].flatMap((label) => [
        "--filter",
        `label=${label}`,
      ]);
      const { stdout } = await docker(operation, ["ps", "--all", "--quiet", "--no-trunc", ...filters], signal);
      const ids = stdout.split("\n").filter((id) => id !== "");
      if (ids.length === 0) return [];
      return inspected.parse(JSON.parse((await docker(operation, ["inspect", ...ids], signal)).stdout)).map(nodeFrom);
    },
    removeNode: async ({ operation, signal }, id) => {
      await docker(operation, ["rm", "--force", "--volumes", id], signal);
    },
    exec: async ({ signal }, id, argv, { stdin, timeoutMs, onStdout, onStderr }) => {
      const args = ["exec", ...(stdin === undefined ? [] : ["--interactive"]), id, ...argv];
      const { exitCode, stdout, stderr } = await exec(program, args, { signal, timeoutMs, stdin, onStdout, onStderr });
      return { exitCode: exitCode ?? 137, stdout, stderr };
    },
    logs: async ({ operation, signal }, id) => (await docker(operation, ["logs", id], signal)).stdout,
  };
}

function runArguments(spec: NodeSpec): readonly string[] {
  return [
    ...["--detach", "--tty", "--privileged", "--security-opt", "seccomp=unconfined", "--cgroupns=private"],
    ...["--hostname", spec.name, "--name", spec.name, "--volume", "/var"],
    ...["--cpus", String(spec.cpus), "--memory", String(spec.memoryBytes)],
    ...Object.entries(spec.labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    ...Object.entries(spec.environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...spec.tmpfs.flatMap((path) => ["--tmpfs", path]),
    // Without a host port docker takes a free one.
    ...spec.ports.flatMap(({ hostPort = "", containerPort, protocol = "tcp" }) => [
      "--publish",
      `127.0.0.1:${hostPort}:${containerPort}/${protocol}`,
    ]),
    spec.image,
  ];
}

function nodeFrom(found: z.infer<typeof inspected>[number]): RuntimeNode {
  const ports = Object.entries(found.NetworkSettings.Ports).flatMap(([port, hosts]) => {
    const [number, protocol] = port.split("/");
    const hostPort = hosts?.[0]?.HostPort;
    if (hostPort === undefined) return [];
    return [
      {
        containerPort: Number(number),
        hostPort: Number(hostPort),
        protocol: protocol === "udp" ? "udp" : "tcp",
      } as const,
    ];
  });
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ""),
    labels: found.Config.Labels,
    image: found.Config.Image,
    status: found.State.Running ? "running" : "stopped",
    ...(found.NetworkSettings.IPAddress === "" ? {} : { address: found.NetworkSettings.IPAddress }),
    ports,
    createdAt: found.Created,
  };
}
