/** What goes back over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = { "content-type": "application/json; charset=UTF-8" };

export function ok(body: unknown): Answer {
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) };
}

/** Google's envelope; `info` is the reason of a google.rpc.ErrorInfo. */
export function failed(code: number, reason: string, message: string, info?: string, domain = "global"): Answer {
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

export function page(status: number, title: string): Answer {
  const body = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  return { status, headers: { "content-type": "text/html; charset=UTF-8" }, body };
}

/** Thrown where a request is refused; nothing was changed. */
export class Refused extends Error {
  override readonly name: string = "Refused";
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

export function refuse(code: number, reason: string, message: string): never {
  throw new Refused(failed(code, reason, message));
}

export function refuseField(field: string, why: string): never {
  return refuse(400, "invalid", `Invalid value for field '${field}': ${why}`);
}

export function refuseMissing(path: string): never {
  return refuse(404, "notFound", `The resource '${path}' was not found`);
}
