import { expect, test } from "vitest";
import { toInstance } from "../src/instance.ts";
import { writeComment } from "../src/ownership.ts";
import { base, job, remote } from "./jobs.ts";

const ownership = { owner: "tests", key: "a", specHash: "h", labels: {} };
const comment = (asksMemory: boolean): string => writeComment({ ownership, token: undefined, asksMemory });

test("memory that was asked for is the job's; a default may be one CPU's, and is not shown", () => {
  const shown = { cpus: "2", memory: "2G" };
  const asked = toInstance(job({ ...shown, comment: comment(true) }), base, remote);
  expect(asked.resources).toEqual({ cpus: 2, memoryBytes: 2 * 1024 ** 3 });
  expect(toInstance(job({ ...shown, comment: comment(false) }), base, remote).resources).toEqual({ cpus: 2 });
});

test.each([
  ["gres:gpu:test:2", { type: "test", count: 2 }],
  ["gpu:a100:1", { type: "a100", count: 1 }],
  ["gres:gpu:3", { type: "gpu", count: 3 }],
])("GPUs of %s", (gres, gpus) => {
  expect(toInstance(job({ gres }), base, remote).resources).toMatchObject({ gpus });
});
