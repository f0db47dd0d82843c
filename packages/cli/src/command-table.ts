import type { Configure } from "./command.ts";

/** One command: the line that the overview shows, and its file, which is loaded only if it is the one. */
export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Configure>;
}

export const COMMANDS: readonly CommandRow[] = [
  {
    name: "spawn",
    summary: "launch an instance; the same key answers the same instance",
    load: async () => (await import("./commands/spawn.ts")).configure,
  },
  {
    name: "run",
    summary: "run a command on an instance of its own, which is terminated afterwards",
    load: async () => (await import("./commands/run.ts")).configure,
  },
  {
    name: "list",
    summary: "show your instances",
    load: async () => (await import("./commands/instances.ts")).configureList,
  },
  {
    name: "get",
    summary: "show one instance",
    load: async () => (await import("./commands/instances.ts")).configureGet,
  },
  {
    name: "wait",
    summary: "wait until an instance is running, or gone",
    load: async () => (await import("./commands/instances.ts")).configureWait,
  },
  {
    name: "ssh",
    summary: "log in with the system's ssh",
    load: async () => (await import("./commands/inside.ts")).configureSsh,
  },
  {
    name: "exec",
    summary: "run a command inside an instance",
    load: async () => (await import("./commands/inside.ts")).configureExec,
  },
  {
    name: "cp",
    summary: "copy files to or from an instance",
    load: async () => (await import("./commands/inside.ts")).configureCp,
  },
  {
    name: "forward",
    summary: "reach a port of an instance on this machine",
    load: async () => (await import("./commands/forward.ts")).configure,
  },
  {
    name: "logs",
    summary: "show what the bootstrap and the console printed",
    load: async () => (await import("./commands/logs.ts")).configureLogs,
  },
  {
    name: "terminate",
    summary: "end instances, by id or key",
    load: async () => (await import("./commands/terminate.ts")).configure,
  },
  {
    name: "snapshot",
    summary: "create, list, look at and delete snapshots",
    load: async () => (await import("./commands/snapshot.ts")).configure,
  },
  {
    name: "volume",
    summary: "create, list, delete, warm, claim and release volumes",
    load: async () => (await import("./commands/volume.ts")).configure,
  },
  {
    name: "spot",
    summary: "request and cancel spot instances, show spot prices",
    load: async () => (await import("./commands/prices.ts")).configureSpot,
  },
  {
    name: "hibernate",
    summary: "stop an instance and keep its memory",
    load: async () => (await import("./commands/hibernate.ts")).configureHibernate,
  },
  {
    name: "resume",
    summary: "go on with a hibernated instance",
    load: async () => (await import("./commands/hibernate.ts")).configureResume,
  },
  {
    name: "prices",
    summary: "show what machine types cost, or what yours have cost",
    load: async () => (await import("./commands/prices.ts")).configurePrices,
  },
  {
    name: "cluster",
    summary: "create, list, delete and enter Kubernetes clusters",
    load: async () => (await import("./commands/cluster.ts")).configure,
  },
  {
    name: "providers",
    summary: "show the providers that were found, and what each can do",
    load: async () => (await import("./commands/providers.ts")).configure,
  },
  {
    name: "doctor",
    summary: "check Node, the state directory and every provider",
    load: async () => (await import("./commands/doctor.ts")).configure,
  },
  {
    name: "init",
    summary: "write a slipway.config",
    load: async () => (await import("./commands/init.ts")).configure,
  },
  {
    name: "bootstrap",
    summary: "render a bootstrap without launching anything",
    load: async () => (await import("./commands/logs.ts")).configureBootstrap,
  },
  {
    name: "reconcile",
    summary: "compare what runs with what was launched",
    load: async () => (await import("./commands/reconcile.ts")).configure,
  },
  {
    name: "reap",
    summary: "terminate what has expired, on all providers: for cron and other places that stay up",
    load: async () => (await import("./commands/reap.ts")).configure,
  },
  {
    name: "cleanup",
    summary: "delete what a provider made for its own use and needs no more",
    load: async () => (await import("./commands/cleanup.ts")).configure,
  },
  {
    name: "emulate",
    summary: "serve a provider's emulator on this machine, to try it without an account",
    load: async () => (await import("./commands/emulate.ts")).configure,
  },
  {
    name: "completion",
    summary: "print the script that completes slipway in your shell",
    load: async () => (await import("./commands/completion.ts")).configure,
  },
  {
    name: "conformance",
    summary: "prove a provider with the published suite",
    load: async () => (await import("./commands/conformance.ts")).configure,
  },
];
