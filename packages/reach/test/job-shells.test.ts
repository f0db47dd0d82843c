import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@slipway/core";
import { runCommand } from "@slipway/provider-kit/command";
import { afterAll, beforeAll, expect, it } from "vitest";
import { END_COMMAND } from "../src/end-command.ts";
import { attachJob, type JobHost, startJob } from "../src/job.ts";
import { describeShells } from "./shells.ts";

describeShells("the scripts of a job under", ({ file, first }) => {
  let home: string;
  let host: JobHost;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "slipway-shells-"));
    const exec: JobHost["exec"] = async ([, ...words]) => {
      const { exitCode, stdout, stderr } = await runCommand(file, [...first, ...words], { env: { HOME: home } });
      return { exitCode: exitCode ?? 1, stdout, stderr };
    };
    host = { provider: "p", instanceId: "i", clock: systemClock, exec };
  });
  afterAll(async () => {
    await rm(home, { recursive: true, force: true });
  });

  it("start it once, tell its output and its end", async () => {
    const id = crypto.randomUUID();
    const start = () => startJob(host, ["/bin/sh", "-c", 'echo ran | tee -a "$HOME/ran"; exit 5'], { id });
    const [job] = await Promise.all([start(), start()]);
    expect(await job.result()).toEqual({ exitCode: 5 });
    let text = "";
    for await (const piece of job.follow()) text += piece.text;
    expect(text).toBe("ran\n");
  });

  it.each(["TERM", "KILL"] as const)("end it by %s", async (signal) => {
    const job = await startJob(host, ["sleep", "337"]);
    await job.kill(signal);
    expect(await job.result()).toEqual({ exitCode: signal === "TERM" ? 143 : 137 });
  });

  it("know no job that is not there", async () => {
    const job = attachJob(host, crypto.randomUUID());
    await expect(job.result({ signal: AbortSignal.timeout(5_000) })).rejects.toMatchObject({ code: "INVALID_STATE" });
  });

  it("begin nothing where the start was withdrawn before it arrived", async () => {
    const [id, stop] = [crypto.randomUUID(), new AbortController()];
    const exec: JobHost["exec"] = async (argv, options) => {
      if (stop.signal.aborted) return await host.exec(argv, options);
      stop.abort();
      throw new Error("lost");
    };
    const start = startJob({ ...host, exec }, ["true"], { id, signal: stop.signal });
    await expect(start).rejects.toMatchObject({ code: "CANCELLED", effect: "unknown" });
    expect(await (await startJob(host, ["true"], { id })).result()).toEqual({ exitCode: 137 });
  });

  it("end a command with what it started, also what ignores TERM", async () => {
    const script = 'sleep 338 & (trap "" TERM; echo up; sleep 338; sleep 338); wait';
    const child = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const closed = new Promise((resolve) => child.once("close", resolve));
    await runCommand(file, [...first, "-c", END_COMMAND, "sh", String(child.pid)]);
    // All that has its stdout has ended.
    await closed;
  });

  it("end a command that goes on starting others", async () => {
    const script =
      'trap "" TERM; echo up; n=0; while [ "$n" -lt 400 ]; do sleep 339 & n=$((n + 1)); sleep 0.02; done; echo all; wait';
    const child = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const closed = new Promise((resolve) => child.once("close", resolve));
    await runCommand(file, [...first, "-c", END_COMMAND, "sh", String(child.pid)]);
    await closed;
    expect(said).toBe("up\n");
  });
});
