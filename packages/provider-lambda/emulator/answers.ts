import { type HttpAnswer, HttpRefusal } from "@slipway/provider-kit/emulator";

const JSON_TYPE = { "content-type": "application/json" };

export function ok(data: unknown): HttpAnswer {
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ data }) };
}

export function failed(status: number, code: string, message: string, suggestion?: string): HttpAnswer {
  const error = { code, message, ...(suggestion === undefined ? {} : { suggestion }) };
  return { status, headers: JSON_TYPE, body: JSON.stringify({ error }) };
}

export function refuse(status: number, code: string, message: string, suggestion?: string): never {
  throw new HttpRefusal(failed(status, code, message, suggestion));
}

export function refuseParameters(message: string): never {
  return refuse(400, "global/invalid-parameters", message);
}

export function refuseMissing(status: 400 | 404, what: string): never {
  return refuse(status, "global/object-does-not-exist", `Specified ${what} does not exist.`);
}
