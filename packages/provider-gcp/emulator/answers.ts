import { type HttpAnswer, HttpRefusal } from "@slipway/provider-kit/emulator";

const JSON_TYPE = { "content-type": "application/json; charset=UTF-8" };

export function ok(body: unknown): HttpAnswer {
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) };
}

/** Google's envelope; `info` is the reason of a google.rpc.ErrorInfo. */
export function failed(code: number, reason: string, message: string, info?: string, domain = "global"): HttpAnswer {
  const details =
    info === undefined
      ? {}
      : {
          details: [
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: info, domain: "compute.googleapis.com" },
          ],
        };
  const error = { code, message, errors: [{ message, domain, reason }], ...details };
  return { status: code, headers: JSON_TYPE, body: JSON.stringify({ error }) };
}

export function refuse(code: number, reason: string, message: string): never {
  throw new HttpRefusal(failed(code, reason, message));
}

export function refuseField(field: string, why: string): never {
  return refuse(400, "invalid", `Invalid value for field '${field}': ${why}`);
}

export function refuseMissing(path: string): never {
  return refuse(404, "notFound", `The resource '${path}' was not found`);
}
