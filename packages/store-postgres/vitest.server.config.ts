import type { ViteUserConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// Apart from the other tests: it starts a real PostgreSQL and a real pgbouncer, and needs Debian's packages of both.
const config: ViteUserConfig = {
  ...shared,
  test: {
    ...shared.test,
    name: "store-postgres on a server",
    include: ["test/**/*.server.ts"],
    // Each file has a server of its own; two at once would wait for one another's processors.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    typecheck: { enabled: false },
  },
};

export default config;
