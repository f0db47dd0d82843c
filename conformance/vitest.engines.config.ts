import usual from "./vitest.config.ts";

// Apart from the other tests: it starts a real PostgreSQL and a real Restate server.
export default {
  ...usual,
  test: {
    ...usual.test,
    name: "engines",
    include: ["test/engines/**/*.engines.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    typecheck: { enabled: false },
  },
};
