// A host that goes on with the runs of a file store, walking until it is killed. `make`: first begins so many runs of three
// steps that each leave a file, and kills itself at a failpoint of one of them. Prints the runs that ended here.
import { join } from "node:path";
import { fileStore, resumeRuns, runWorkflow } from "../../src/index.ts";
import { threeSteps } from "./three-steps.ts";

const [root = "", task = "", many = "0", point] = process.argv.slice(2);
const store = fileStore(join(root, "store"));
const three = threeSteps<boolean>({ trace: join(root, "trace"), things: join(root, "things") }, (fails) => fails);

let reached = 0;
const failpoint = (name: string): void => {
  if (name !== point) return;
  reached += 1;
  if (reached > 2) process.kill(process.pid, "SIGKILL");
};
const make = async (): Promise<void> => {
  const runs = Array.from({ length: Number(many) }, (_, number) =>
    runWorkflow(three, number % 2 === 1, { journal: store, runId: `run ${number}`, failpoint }).catch(() => undefined),
  );
  await Promise.all(runs);
};

if (task === "make") await make();
const report = await resumeRuns(store, [three], {
  everyMs: 20,
  concurrency: 4,
  failpoint,
  onOutcome: ({ runId, outcome }) => {
    if (outcome !== "busy") console.log(`${runId}: ${outcome}`);
  },
});
console.log(JSON.stringify(report));
