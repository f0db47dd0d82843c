import type { ViteUserConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// Apart from the other tests: it starts a real PostgreSQL, and needs Debian's package.
const config: ViteUserConfig = {
  ...shared,
  test: {
    ...shared.test,
    name: "workflow-dbos on PostgreSQL",
    include: ["test/**/*.server.ts"],
    // Each file has a server of its own; two at once would wait for one another's processors.
    fileParallelism: false,
    // Cases wait more than they work; each has a host and a database of its own.
    maxConcurrency: 4,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    typecheck: { enabled: false },
  },
};

export default config;
