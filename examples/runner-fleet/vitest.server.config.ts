import type { ViteUserConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// Apart from the other tests: it starts a real PostgreSQL, and network namespaces that only root can make.
const config: ViteUserConfig = {
  ...shared,
  test: {
    ...shared.test,
    name: "runner-fleet on servers",
    include: ["test/**/*.server.ts"],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
  },
};

export default config;
