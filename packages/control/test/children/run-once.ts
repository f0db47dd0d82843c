// Runs a workflow of three steps that each leave a file, and prints its output. With a failpoint's name as the last
// argument it kills itself there, as `kill -9` would. "fail" as the third argument makes the last step fail.
import { join } from "node:path";
import { fileStore, isWorkflowError, runWorkflow } from "../../src/index.ts";
import { threeSteps } from "./three-steps.ts";

const [store = "", things = "", ending = "", point] = process.argv.slice(2);
const three = threeSteps<null>({ trace: join(things, "..", "trace"), things }, () => ending === "fail");

const failpoint = (name: string): void => {
  if (name === point) process.kill(process.pid, "SIGKILL");
};
runWorkflow(three, null, { journal: fileStore(store), runId: "run", failpoint }).then(
  (made) => console.log(made.join()),
  (error: unknown) => console.log(isWorkflowError(error) ? `${error.code} ${error.leftovers.length}` : String(error)),
);
