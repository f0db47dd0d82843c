import { inSharedWorkersBut, withProgram } from "../../vitest.shared.ts";

export default inSharedWorkersBut("provider-orbstack", ["test/emulated-copies.test.ts"], withProgram);
