// One spawn in a process of its own: `spawn-once.ts <order as JSON>`. Prints `ready` before the call, `spawned` after it, and
// `failed <code> <effect>` where it rejects.
import { writeSync } from "node:fs";
import { isProviderError } from "@slipway/core";
import { z } from "zod";
import { kubernetes } from "../src/index.ts";
import { clusterTransport } from "./cluster-transport.ts";
import { OWNER, soakRequest } from "./soak-request.ts";

const { kubeconfig, key, death, ...request } = z
  .object({
    kubeconfig: z.string(),
    key: z.string(),
    real: z.boolean().optional(),
    terminateBy: z.string().optional(),
    death: z.object({ at: z.number(), when: z.enum(["before", "during", "after"]) }).optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ""));

const real = clusterTransport(kubeconfig);
let requests = 0;
const die = (): void => void process.kill(process.pid, "SIGKILL");

const provider = kubernetes({
  owner: OWNER,
  kubeconfig,
  runtime: {
    fetch: async (input, init) => {
      requests += 1;
      const isLast = requests === death?.at;
      if (isLast && death?.when === "before") die();
      const answer = real(input, init);
      // Sent, most likely, and not answered yet.
      if (isLast && death?.when === "during") setTimeout(die, 3);
      const got = await answer;
      if (isLast) die();
      return got;
    },
  },
});
writeSync(1, "ready\n");
try {
  await provider.spawn(soakRequest(key, request));
  writeSync(1, "spawned\n");
} catch (error) {
  if (!isProviderError(error)) throw error;
  writeSync(1, `failed ${error.code} ${error.effect}\n`);
}
