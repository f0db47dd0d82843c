import { inSharedWorkersBut } from "../../vitest.shared.ts";

export default inSharedWorkersBut("control", [
  "test/file-store-faults.test.ts",
  "test/lease-handover.test.ts",
  "test/file-costs.test.ts",
]);
