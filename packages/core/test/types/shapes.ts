// A shape has the fields of its type, each as the type has it, and every word of a union.
import type { AnswerOf, RequestShapeOf } from "@slipway/core/shapes";

interface Answer {
  readonly id: string;
  readonly status: "up" | "down";
  readonly note?: string;
  readonly at: string | null;
  readonly place: { readonly zone?: string; readonly rack: number };
  readonly names: readonly string[];
}
const fields = {
  id: "id",
  "note?": "text",
  at: "time or null",
  names: ["text"],
} as const;
const status = { oneOf: { up: true, down: true } } as const;
const place = { "zone?": "text", rack: "integer" } as const;
const all = { ...fields, status, place } as const;

export const right: AnswerOf<Answer> = all;
// @ts-expect-error a field is forgotten
export const forgotten: AnswerOf<Answer> = { ...fields, status };
// @ts-expect-error a foreign field
export const foreign: AnswerOf<Answer> = { ...fields, status, place, own: "text" };
// @ts-expect-error a word of the union is forgotten
export const shortUnion: AnswerOf<Answer> = { ...all, status: { oneOf: { up: true } } };
// @ts-expect-error a word too many
export const longUnion: AnswerOf<Answer> = { ...all, status: { oneOf: { up: true, down: true, away: true } } };
// @ts-expect-error optional in the shape alone
export const optional: AnswerOf<Answer> = { ...fields, status, "place?": place };
// @ts-expect-error optional in the type alone
export const required: AnswerOf<Answer> = { ...fields, status, place: { zone: "text", rack: "integer" } };
// @ts-expect-error it may be null
export const never: AnswerOf<Answer> = { ...all, at: "time" };
// @ts-expect-error it is never null
export const nullable: AnswerOf<Answer> = { ...all, id: "text or null" };
// @ts-expect-error a number is no text
export const wrongKind: AnswerOf<Answer> = { ...all, place: { "zone?": "text", rack: "text" } };
// @ts-expect-error a list of texts
export const noList: AnswerOf<Answer> = { ...all, names: "text" };

interface Request {
  readonly size: number;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}
export const request: RequestShapeOf<Request> = { size: "whole", "labels?": "labels", "signal?": "signal" };
// @ts-expect-error what a remote says may be null, and what a user asks for may not
export const asked: RequestShapeOf<{ readonly zone: string }> = { zone: "text or null" };
// @ts-expect-error a signal is no text
export const noSignal: RequestShapeOf<Request> = { size: "whole", "labels?": "labels", "signal?": "text" };
