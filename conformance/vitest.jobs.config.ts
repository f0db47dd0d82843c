import { fileURLToPath } from "node:url";
import usual from "./vitest.config.ts";

// Apart from the other tests: they start a hundred real machines, and a client in Python.
export default {
  ...usual,
  test: {
    ...usual.test,
    name: "jobs",
    include: ["test/jobs/**/*.jobs.ts"],
    globalSetup: [fileURLToPath(import.meta.resolve("slipway-python-clients/global-setup"))],
    fileParallelism: false,
    // They wait more than they work.
    maxConcurrency: 4,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    typecheck: { enabled: false },
  },
};
