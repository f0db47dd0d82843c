import type { Schema, Workflow } from "@slipway/core";
import type { JsonValue } from "../store/record.ts";
import { isJson } from "./json.ts";
import { WorkflowError } from "./workflow-error.ts";

/** The input as the workflow's schema gives it, and as the journal keeps it. INVALID_INPUT if it cannot be either. */
export async function validInput<In>(
  workflow: Pick<Workflow<In>, "type" | "input">,
  input: unknown,
  runId: string,
): Promise<{ readonly input: In; readonly json: JsonValue }> {
  const json = input === undefined ? null : input;
  const problem = isJson(json) ? null : "it is not JSON";
  const result = problem === null ? await problemsOr(workflow.input, input) : { problem };
  if ("value" in result && isJson(json)) return { input: result.value, json };
  const why = "problem" in result ? result.problem : problem;
  throw new WorkflowError("INVALID_INPUT", { message: `${workflow.type} cannot take this input: ${why}`, runId });
}

/** The output as the workflow's schema gives it; INVALID_OUTPUT if it is not what was promised. */
export async function validOutput<Out>(
  workflow: Pick<Workflow<unknown, Out>, "type" | "output">,
  runId: string,
  output: unknown,
): Promise<Out> {
  const problem = output === undefined || isJson(output) ? null : "it is not JSON";
  const result = problem === null ? await problemsOr(workflow.output, output) : { problem };
  if ("value" in result) return result.value;
  const message = `${workflow.type} does not answer what it promises: ${result.problem}`;
  throw new WorkflowError("INVALID_OUTPUT", { message, runId });
}

async function problemsOr<T>(schema: Schema<T>, value: unknown): Promise<{ value: T } | { problem: string }> {
  const result = await schema["~standard"].validate(value);
  return result.issues === undefined
    ? { value: result.value }
    : { problem: result.issues.map(({ message }) => message).join("; ") };
}
