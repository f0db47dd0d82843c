import usual from "./vitest.config.ts";

// Apart from the other tests: each file starts a real cluster, with what the stage of its provider has installed.
export default {
  ...usual,
  test: {
    ...usual.test,
    name: "jobs on a cluster",
    include: ["test/clusters/*.clusters.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 180_000,
    typecheck: { enabled: false },
  },
};
