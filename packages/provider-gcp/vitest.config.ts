import { mergeConfig } from "vitest/config";
import { inSharedWorkers } from "../../vitest.shared.ts";

export default mergeConfig(inSharedWorkers, { test: { name: "provider-gcp" } });
