// A process that spawns what its parent asks for, says the ids, and then waits to be killed.
import { type SlurmSpawnOptions, slurm } from "../../src/index.ts";

process.on("message", (all: readonly SlurmSpawnOptions[]) => void spawn(all));

async function spawn(all: readonly SlurmSpawnOptions[]): Promise<void> {
  const provider = slurm({ owner: "killed" });
  process.send?.(await Promise.all(all.map(async (one) => (await provider.spawn(one)).nativeId)));
}
