import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Workflow, workflow } from "@slipway/core";

const schema = <T>() => ({
  "~standard": { version: 1 as const, vendor: "test", validate: (value: unknown) => ({ value: value as T }) },
});

/** A workflow of three steps that each leave a file among `things`; `fails` says of an input whether its last step does. */
export function threeSteps<In>(
  { trace, things }: { readonly trace: string; readonly things: string },
  fails: (input: In) => boolean,
): Workflow<In, string[]> {
  return workflow<In, string[]>({
    type: "three",
    version: 1,
    input: schema<In>(),
    output: schema<string[]>(),
    run: async ({ step, runId }, input) => {
      const made: string[] = [];
      for (const name of ["a", "b", "c"]) {
        made.push(
          await step(
            name,
            async ({ key }) => {
              appendFileSync(trace, `${runId} ${name}\n`);
              if (name === "c" && fails(input)) throw new Error("no");
              writeFileSync(join(things, key), runId);
              return name;
            },
            { undo: async ({ key }) => rmSync(join(things, key), { force: true }) },
          ),
        );
      }
      return made;
    },
  });
}
