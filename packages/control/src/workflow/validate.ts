import type { Schema, Workflow } from "@slipway/core";
import type { JsonValue } from "../store/record.ts";
import { asJson, WorkflowError } from "./workflow-error.ts";

const NOT_JSON = { problem: "it is not JSON" } as const;

/** The input as the workflow's schema gives it, and as the journal keeps it. INVALID_INPUT if it cannot be either. */
export async function validInput<In>(
  workflow: Pick<Workflow<In>, "type" | "input">,
  input: unknown,
  runId: string,
): Promise<{ readonly input: In; readonly json: JsonValue }> {
  const json = input === undefined ? null : asJson(input);
  const result = json === undefined ? NOT_JSON : await problemsOr(workflow.input, input);
  if ("value" in result && json !== undefined) return { input: result.value, json };
  const { problem } = "problem" in result ? result : NOT_JSON;
  throw new WorkflowError("INVALID_INPUT", { message: `${workflow.type} cannot take this input: ${problem}`, runId });
}

/** The output as the workflow's schema gives it, and as the journal keeps it; INVALID_OUTPUT if it is not as promised. */
export async function validOutput<Out>(
  workflow: Pick<Workflow<unknown, Out>, "type" | "output">,
  runId: string,
  output: unknown,
): Promise<{ readonly output: Out; readonly json: JsonValue | undefined }> {
  const json = asJson(output);
  const isNoJson = output !== undefined && json === undefined;
  const result = isNoJson ? NOT_JSON : await problemsOr(workflow.output, output);
  if ("value" in result) return { output: result.value, json };
  const message = `${workflow.type} does not answer what it promises: ${result.problem}`;
  throw new WorkflowError("INVALID_OUTPUT", { message, runId });
}

async function problemsOr<T>(schema: Schema<T>, value: unknown): Promise<{ value: T } | { problem: string }> {
  const result = await schema["~standard"].validate(value);
  return result.issues === undefined
    ? { value: result.value }
    : { problem: result.issues.map(({ message }) => message).join("; ") };
}
