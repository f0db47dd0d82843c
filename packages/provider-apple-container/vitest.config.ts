import { inSharedWorkersBut, withProgram } from "../../vitest.shared.ts";

export default inSharedWorkersBut("provider-apple-container", ["test/links.test.ts"], withProgram);
