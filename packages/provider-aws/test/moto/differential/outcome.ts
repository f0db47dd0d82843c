import { CALLS } from "./calls.ts";
import { FIELDS } from "./fields.ts";
import { resolved, type Side, shared } from "./side.ts";

/** What a call came to: the code of its error, or its answer. */
export interface Outcome {
  readonly error: string | null;
  readonly whole: unknown;
}

export async function perform(side: Side, call: string, input: unknown): Promise<Outcome> {
  const send = CALLS[call];
  if (send === undefined) throw new Error(`no call ${call}`);
  try {
    const whole = await send(side.clients, resolved(side, input));
    return { error: null, whole };
  } catch (error) {
    return { error: codeOf(error), whole: undefined };
  }
}

/** Where two outcomes differ, with the ids of each side under their shared names. */
export function compare(
  call: string,
  here: { readonly side: Side; readonly outcome: Outcome },
  there: { readonly side: Side; readonly outcome: Outcome },
): readonly Difference[] {
  const [emulator, moto] = [here.outcome.error ?? "none", there.outcome.error ?? "none"];
  if (emulator !== moto) return [{ field: "error", emulator, moto }];
  if (emulator !== "none") return [];
  const read = ({ side, outcome }: typeof here): unknown => shared(side, FIELDS[call]?.(outcome.whole));
  return differences(read(here), read(there));
}

/** The code, or the bare status where the answer was no error of EC2's, as moto's page of an exception. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { $metadata: metadata, Code: code } = error as { $metadata?: { httpStatusCode?: number }; Code?: unknown };
  const status = metadata?.httpStatusCode;
  if (status === 500 && code === undefined) return "500";
  return error.name;
}

/** One place where two answers differ. */
export interface Difference {
  /** `Instances[].State.Name`. */
  readonly field: string;
  readonly emulator: unknown;
  readonly moto: unknown;
}

/** All places where two values differ; a list of another length differs as a whole. */
function differences(emulator: unknown, moto: unknown, field = ""): readonly Difference[] {
  if (Array.isArray(emulator) && Array.isArray(moto)) {
    if (emulator.length !== moto.length) return [{ field, emulator, moto }];
    return emulator.flatMap((item: unknown, at) => differences(item, moto[at], `${field}[]`));
  }
  if (isRecord(emulator) && isRecord(moto)) {
    const names = [...new Set([...Object.keys(emulator), ...Object.keys(moto)])];
    return names.flatMap((name) => differences(emulator[name], moto[name], field === "" ? name : `${field}.${name}`));
  }
  return emulator === moto ? [] : [{ field, emulator, moto }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
