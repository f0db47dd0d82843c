// Runs a workflow of three steps that each leave a file, and prints its output. With a failpoint's name as the last
// argument it kills itself there, as `kill -9` would. "fail" as the third argument makes the last step fail.
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workflow } from "@slipway/core";
import { fileStore, isWorkflowError, runWorkflow } from "../../src/index.ts";

const [store = "", things = "", ending = "", point] = process.argv.slice(2);
const schema = <T>(vendor: string) => ({
  "~standard": { version: 1 as const, vendor, validate: (value: unknown) => ({ value: value as T }) },
});
const three = workflow({
  type: "three",
  version: 1,
  input: schema<null>("test"),
  output: schema<string[]>("test"),
  run: async ({ step }) => {
    const made: string[] = [];
    for (const name of ["a", "b", "c"]) {
      made.push(
        await step(
          name,
          async ({ key }) => {
            appendFileSync(join(things, "..", "trace"), `${name}\n`);
            if (name === "c" && ending === "fail") throw new Error("no");
            writeFileSync(join(things, key), name);
            return name;
          },
          { undo: async ({ key }) => rmSync(join(things, key), { force: true }) },
        ),
      );
    }
    return made;
  },
});

const failpoint = (name: string): void => {
  if (name === point) process.kill(process.pid, "SIGKILL");
};
runWorkflow(three, null, { journal: fileStore(store), runId: "run", failpoint }).then(
  (made) => console.log(made.join()),
  (error: unknown) => console.log(isWorkflowError(error) ? `${error.code} ${error.leftovers.length}` : String(error)),
);
