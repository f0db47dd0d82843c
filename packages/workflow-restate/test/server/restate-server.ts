import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePorts } from "@slipway/provider-kit/emulator";
import { serverProgram } from "./program.ts";

/** A real Restate server with its data in a directory of its own, on free ports of the loopback. */
export interface RestateServer {
  readonly ingress: string;
  /** Tells the server where services are. */
  readonly register: (uri: string) => Promise<void>;
  /** As `kill -9`, and then a start from what is on disk. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const START_MS = 60_000;
/** What this machine lacks, or null. `SLIPWAY_REQUIRE_TOOLS=1` makes it a failure. */
export function missingRestate(): string | null {
  if (serverProgram() !== undefined) return null;
  const what = "restate-server is not installed: npm run test:engines installs it";
  if (process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(what);
  return what;
}

export async function startRestate(): Promise<RestateServer> {
  const program = serverProgram();
  if (program === undefined) throw new Error("restate-server is not installed");
  const directory = await mkdtemp(join(tmpdir(), "slipway-restate-"));
  const [ingress = 0, admin = 0, node = 0] = await freePorts(3);
  const env = {
    PATH: process.env["PATH"] ?? "",
    // It leaves directories there.
    TMPDIR: directory,
    DO_NOT_TRACK: "1",
    RESTATE_DISABLE_TELEMETRY: "1",
    RESTATE_LISTEN_MODE: "tcp",
    RESTATE_BIND_IP: "127.0.0.1",
    RESTATE_BIND_PORT: String(node),
    RESTATE_ADVERTISED_HOST: "127.0.0.1",
    RESTATE_NODE_NAME: "suite",
    RESTATE_AUTO_PROVISION: "true",
    RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: "128MiB",
    RESTATE_DEFAULT_NUM_PARTITIONS: "2",
    RESTATE_INGRESS__BIND_PORT: String(ingress),
    RESTATE_ADMIN__BIND_PORT: String(admin),
    RUST_LOG: "error",
  };
  const start = async (): Promise<ChildProcess> => {
    const args = ["--base-dir", directory, "--no-logo"];
    const child = spawn(program, args, { cwd: directory, env, detached: true, stdio: "ignore" });
    for (const until = Date.now() + START_MS; ; await pause(50)) {
      if (child.exitCode !== null || Date.now() > until) throw new Error("restate-server did not start");
      const answers = await Promise.all(
        [`http://127.0.0.1:${admin}/health`, `http://127.0.0.1:${ingress}/restate/health`].map((url) =>
          fetch(url).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      );
      if (answers.every(Boolean)) return child;
    }
  };
  let server = await start();
  const kill = (): void => void server.kill("SIGKILL");
  process.once("exit", kill);
  const end = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, "exit");
    kill();
    await gone;
  };
  return {
    ingress: `http://127.0.0.1:${ingress}`,
    register: async (uri) => {
      const body = JSON.stringify({ uri, force: true });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, { method: "POST", headers, body });
      if (!answer.ok) throw new Error(`restate-server refuses ${uri}: ${await answer.text()}`);
    },
    restart: async () => {
      await end();
      server = await start();
    },
    stop: async () => {
      await end();
      process.off("exit", kill);
      await rm(directory, { recursive: true });
    },
  };
}
