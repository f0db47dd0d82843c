import { fileURLToPath } from "node:url";
import type { ViteUserConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// Apart from the other tests: it starts a real cluster, and needs root and Debian's packages of Slurm.
const config: ViteUserConfig = {
  ...shared,
  test: {
    ...shared.test,
    name: "provider-slurm on a cluster",
    include: ["test/**/*.slurm.ts"],
    globalSetup: [fileURLToPath(import.meta.resolve("slipway-python-clients/global-setup"))],
    // Each file has a cluster of its own; two at once would wait for one another's processors.
    fileParallelism: false,
    typecheck: { enabled: false },
  },
};

export default config;
