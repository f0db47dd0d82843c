import { waitForStatus } from "@slipway/control";
import { type AwsProvider, aws } from "@slipway/provider-aws";
import { type Ec2Emulator, EMULATOR_CREDENTIALS, ec2Emulator } from "@slipway/provider-aws/emulator";
import type { Work } from "./growth.ts";

const CREDENTIALS = EMULATOR_CREDENTIALS;
const BOOT_MS = 180_000;
const STARTED_OVER_MS = 2_000;

interface Ec2 {
  readonly emulator: Ec2Emulator;
  readonly provider: AwsProvider;
  readonly ids: readonly string[];
}

/** Requests that one work sends to EC2, on its published limits and an emulated clock. */
function ec2Work(
  { name, size, most, settled }: Pick<Work, "name" | "size" | "most"> & { readonly settled: boolean },
  work: (ec2: Ec2) => Promise<unknown>,
  prepared: (many: number, provider: AwsProvider) => Promise<readonly string[]>,
): Work {
  return {
    name: `EC2: ${name}`,
    unit: "requests",
    size,
    ...(most === undefined ? {} : { most }),
    run: async (many) => {
      const emulator = ec2Emulator({ credentials: [CREDENTIALS], limits: 1, bootMs: settled ? 0 : BOOT_MS });
      const { clock, fetch } = emulator;
      const runtime = { clock, fetch };
      const provider = aws({
        ...{ owner: "bench", regions: ["us-east-1"], share: 1, runtime },
        credentials: CREDENTIALS,
      });
      const ids = await prepared(many, provider);
      if (settled) await clock.sleep(60_000);
      const before = emulator.control.requests.length;
      await work({ emulator, provider, ids });
      return emulator.control.requests.length - before;
    },
  };
}

const keysFor = async (many: number): Promise<readonly string[]> =>
  Array.from({ length: many }, (_value, at) => `k${at}`);
const spawned = (many: number, provider: AwsProvider): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: many }, async () => (await provider.spawn({ spec: "t3.micro" })).id));

export const ec2Works: readonly Work[] = [
  ec2Work(
    { name: "spawns at once", size: 200, most: 440, settled: true },
    ({ provider, ids }) => Promise.all(ids.map((key) => provider.spawn({ key, spec: "t3.micro" }))),
    keysFor,
  ),
  ec2Work(
    { name: "reads at once", size: 300, most: 3, settled: true },
    ({ provider, ids }) => Promise.all(ids.map((id) => provider.get(id))),
    spawned,
  ),
  ec2Work(
    { name: "ends at once", size: 300, most: 4, settled: true },
    ({ provider, ids }) => Promise.all(ids.map((id) => provider.terminate(id))),
    spawned,
  ),
  // EC2 takes two launches a second: they come up one after the other too, and each end of a wait is a read more.
  ec2Work(
    { name: "waits of three minutes, started together", size: 100, most: 130, settled: false },
    ({ provider, ids, emulator: { clock } }) =>
      Promise.all(ids.map((id) => waitForStatus(provider, id, "running", { clock, timeoutMs: 600_000 }))),
    spawned,
  ),
  ec2Work(
    { name: "waits of three minutes, started over 2 s", size: 100, most: 200, settled: false },
    ({ provider, ids, emulator: { clock } }) =>
      Promise.all(
        ids.map(async (id, at) => {
          await clock.sleep((at * STARTED_OVER_MS) / ids.length);
          await waitForStatus(provider, id, "running", { clock, timeoutMs: 600_000 });
        }),
      ),
    spawned,
  ),
];
