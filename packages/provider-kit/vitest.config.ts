import { inSharedWorkersBut } from "../../vitest.shared.ts";

export default inSharedWorkersBut("provider-kit", [
  "test/sandbox/census.test.ts",
  "test/sandbox/end-many.test.ts",
  "test/sandbox/cut-off.test.ts",
]);
