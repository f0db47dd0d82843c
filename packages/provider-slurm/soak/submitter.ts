// `submitter.ts`: a process of its own that spawns what its parent asks for, and says before and after each command where
// it is. The parent kills it there.
import { isProviderError } from "@slipway/core";
import { BASE_ENVIRONMENT, commandRunner } from "@slipway/provider-kit/command";
import { slurm } from "../src/index.ts";
import type { Answer, Ask } from "./pool.ts";
import { soakRequest } from "./soak-request.ts";

const run = commandRunner({ provider: "slurm", inherit: [...BASE_ENVIRONMENT, "SLURM_CONF"] });
const path = process.env["PATH"] ?? "";
const send = (answer: Answer): void => void process.send?.(answer);

process.on("message", (message: Ask) => void answer(message));
// Ctrl-C reaches the whole group: the parent decides when this one ends.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => undefined);
process.on("disconnect", () => process.exit(0));
send({ kind: "ready" });

/** The parent and this process are of one version: what arrives is what was sent. */
async function answer({ owner, key, ranFile, variant, lossyPath }: Ask): Promise<void> {
  process.env["PATH"] = lossyPath === undefined ? path : `${lossyPath}:${path}`;
  const provider = slurm({
    owner,
    partition: "main",
    runtime: {
      exec: async (file, args, options) => {
        send({ kind: "step", step: `before ${file}` });
        const result = await run(file, args, options);
        send({ kind: "step", step: `after ${file}` });
        return result;
      },
    },
  });
  try {
    const { id } = await provider.spawn(soakRequest(key, ranFile, variant));
    send({ kind: "spawned", id });
  } catch (error) {
    const code = isProviderError(error) ? error.code : "not a ProviderError";
    send({ kind: "refused", code, message: error instanceof Error ? error.message : String(error) });
  }
}
