import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoryStore } from "@slipway/control";
import { type BootstrapTruth, type Instance, type Provider, systemClock } from "@slipway/core";
import { machinesMissing, type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import { type LambdaProvider, lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { local } from "@slipway/provider-local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type JobSpec, runJobs, type SshAccess, withInstance } from "../src/index.ts";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const COUNT = 20;

/** A newcomer's job runner. Only the line with its provider changes, and what it rents there. */
async function runThem(
  { provider, machine }: { readonly provider: Provider; readonly machine: { readonly spec?: string } },
  access: SshAccess,
): Promise<void> {
  const jobs: readonly JobSpec[] = Array.from({ length: COUNT }, (_, at) => ({
    key: `n${at}`,
    argv: ["/bin/sh", "-c", `cat /made; echo "out ${at}"; exit ${at}`],
    options: { ...machine, bootstrap: { script: "echo by the bootstrap >/made" } },
  }));
  const results = await runJobs(provider, jobs, { store: memoryStore(), access, concurrency: 5 });
  const failures = results.flatMap((result) => (result.state === "failed" ? [String(result.error)] : []));
  expect(failures).toEqual([]);
  const expected = jobs.map(({ key }, at) => ({
    key,
    state: "done",
    repeated: false,
    result: { exitCode: at, stdout: `by the bootstrap\nout ${at}\n`, stderr: "" },
  }));
  expect(results).toMatchObject(expected);
  expect(results.filter((result) => "leftover" in result)).toEqual([]);
  expect(await provider.list()).toEqual([]);
}

describe.skipIf(missing !== null)(
  `the job runner does ${COUNT} of ${COUNT}`,
  () => {
    let directory: string;
    let machines: OpenMachines;
    let access: SshAccess;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "slipway-runner-"));
      const opened = await openMachines("light");
      if (opened === null) throw new Error("there are no machines");
      machines = opened;
      const identityFile = join(directory, "key");
      const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
      if (made.status !== 0) throw new Error(made.stderr.toString());
      access = { identityFile, endpoint: machines.endpoint };
    });
    afterAll(async () => {
      await machines.close();
      await rm(directory, { recursive: true, force: true });
    });

    it("on local", async () => {
      const provider = local({ owner: "runner", stateDirectory: join(directory, "local") });
      await runThem({ provider, machine: {} }, access);
    });

    const emulatedLambda = (): LambdaProvider => {
      const lag = { latencyMs: 0, bootMs: 0, endMs: 0, listedAfterEndMs: 0, readableAfterEndMs: 0, limits: null };
      const emulator = lambdaEmulator({ ...lag, clock: systemClock, machines });
      return lambda({
        owner: "runner",
        apiKey: EMULATOR_API_KEY,
        readAfterWriteMs: 0,
        requestsPerSecond: 1000,
        secondsPerLaunch: 0.001,
        runtime: { fetch: emulator.fetch },
      });
    };

    it("on an emulated Lambda whose machines are real", async () => {
      await runThem({ provider: emulatedLambda(), machine: { spec: "gpu_1x_a10" } }, access);
    });

    it("and there the bootstrap's end is read on the machine, and files go there and back", async () => {
      const control = { store: memoryStore(), access };
      const machine = { key: "files", spec: "gpu_1x_a10" };
      const failing = { ...machine, bootstrap: { script: "echo no such package; exit 3" } };
      const failed: unknown = await withInstance(emulatedLambda(), failing, control, async () => "never").catch(
        (error: unknown) => error,
      );
      expect(failed).toMatchObject({ code: "INVALID_STATE", operation: "waitForBootstrap" });
      expect(String(failed)).toMatch(/exit code 3[\s\S]*no such package/);

      const working = { ...machine, key: "files-2", bootstrap: { script: "echo made >/made" } };
      await withInstance(emulatedLambda(), working, control, async (session) => {
        await session.upload(fileURLToPath(new URL(".", import.meta.url)), "tests");
        expect((await session.exec(["cat", "tests/sshd.ts", "/made"])).stdout).toMatch(/SSHD[\s\S]*made\n$/);
        await session.download("/made", join(directory, "made"));
      });
      expect(await readFile(join(directory, "made"), "utf8")).toBe("made\n");
    });

    it("and there the machine is asked where its guest reports nothing over the provider", async () => {
      const silent = {
        ...emulatedLambda(),
        readBootstrap: async (): Promise<BootstrapTruth> => ({ state: "unknown" }),
      };
      const options = { key: "silent", spec: "gpu_1x_a10", bootstrap: { script: "echo made >/made" } };
      const seen = await withInstance(
        silent,
        options,
        { store: memoryStore(), access, readyTimeoutMs: 60_000 },
        (session) => session.exec(["cat", "/made"]),
      );
      expect(seen.stdout).toBe("made\n");
    });

    it("and there a job is followed while its connection is killed, and an abort leaves no process", async () => {
      const control = { store: memoryStore(), access };
      await withInstance(
        emulatedLambda(),
        { key: "follow", spec: "gpu_1x_a10" },
        control,
        async (session, instance) => {
          const job = await session.start([
            "/bin/sh",
            "-c",
            "for i in 1 2 3 4; do echo line $i; sleep 0.5; done; exit 6",
          ]);
          let text = "";
          for await (const piece of job.follow()) {
            if (text === "") killMaster(instance);
            text += piece.text;
          }
          expect(text).toBe("line 1\nline 2\nline 3\nline 4\n");
          expect(await job.result()).toEqual({ exitCode: 6 });

          const stop = new AbortController();
          const sleeping = session.exec(["/bin/sh", "-c", "echo up; sleep 444 & wait"], {
            signal: stop.signal,
            onStdout: () => stop.abort(),
          });
          await expect(sleeping).rejects.toMatchObject({ code: "CANCELLED", effect: "unknown" });
          const left = await session.exec(["/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]);
          expect(left.stdout).not.toContain("sleep 444 ");
        },
      );
    });
  },
  240_000,
);

/** Ends the client's side of the connection to an instance, as a lost network would. */
function killMaster({ ssh }: Instance): void {
  const killed = spawnSync("pkill", ["-KILL", "-f", `^ssh .* -M -N .* ${ssh?.host.replaceAll(".", "[.]")}`]);
  if (killed.status !== 0) throw new Error("no master was found");
}
