import type { Harness, HarnessFactory } from "@slipway/contract-tests";
import { systemClock, timestamp } from "@slipway/core";
import manifest from "../../package.json" with { type: "json" };
import { register, type SlurmConfig, slurm } from "../../src/index.ts";
import { readComment } from "../../src/ownership.ts";
import type { SlurmCluster } from "../../src/testing/index.ts";

let harnesses = 0;
let unmanagedCount = 0;

/** The provider on a real cluster. Cases share it, so each has an owner of its own and sees no job older than itself. */
export function slurmHarness(
  cluster: () => Promise<SlurmCluster>,
  more: (cluster: SlurmCluster) => SlurmConfig = () => ({}),
): HarnessFactory {
  return async (): Promise<Harness> => {
    const started = await cluster();
    const { slurmConf, run, cancelAll } = started;
    harnesses += 1;
    const owner = `contract-tests-${harnesses}`;
    const transcript: string[] = [];
    const note = (level: string) => (message: string, data?: object) => {
      transcript.push(`${timestamp(systemClock)} ${level} ${message} ${JSON.stringify(data ?? {})}`);
    };
    const runtime = {
      onEvent: (event: object) => note("event")("", event),
      log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
    };
    const config = { slurmConf, partition: "main", ...more(started) };
    const jobs = async () =>
      (await run("squeue", "-h", "-a", "-t", "all", "-o", "%i\x1f%T\x1f%k"))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const [number = "", state = "", comment = ""] = line.split("\x1f");
          return { number, live: /PENDING|RUNNING|COMPLETING|CONFIGURING|SUSPENDED/.test(state), comment };
        });
    const before = Math.max(0, ...(await jobs()).map(({ number }) => Number(number)));
    return {
      registration: await register(config, { owner, variables: {}, runtime }),
      spawnOptions: () => ({}),
      capabilityOptions: { gpu: { gpu: { type: "test", count: 1 } } },
      another: async ({ owner: other = owner } = {}) => slurm({ ...config, owner: other, runtime }),
      inspector: {
        instances: async () =>
          (await jobs())
            .filter(({ number }) => Number(number) > before)
            .flatMap(({ number, live, comment }) => {
              const ownership = readComment(comment)?.ownership;
              if (ownership === undefined) return [];
              return [{ nativeId: number, owner: ownership.owner, key: ownership.key, live }];
            }),
        addUnmanaged: async (name) => {
          unmanagedCount += 1;
          const words = [
            "--parsable",
            "--output=/dev/null",
            "--wrap=sleep 600",
            `--job-name=${name ?? `other-${unmanagedCount}`}`,
          ];
          return (await run("sbatch", ...words)).trim();
        },
        hasUnmanaged: async (nativeId) => (await jobs()).some(({ number, live }) => live && number === nativeId),
        crash: async (nativeId) => {
          await run("scancel", nativeId);
        },
      },
      clock: systemClock,
      unknownId: "slipway/66999999@1700000000",
      secrets: [],
      transcript: () => transcript.join("\n"),
      patienceMs: 30_000,
      terminateByLeadMs: 20_000,
      package: { manifest, register, config, badConfigs: [{ partition: "two words" }, { commandPrefix: [] }] },
      close: cancelAll,
    };
  };
}
