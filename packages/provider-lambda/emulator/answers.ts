/** What goes back over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const JSON_TYPE = { "content-type": "application/json" };

export function ok(data: unknown): Answer {
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ data }) };
}

export function failed(status: number, code: string, message: string, suggestion?: string): Answer {
  const error = { code, message, ...(suggestion === undefined ? {} : { suggestion }) };
  return { status, headers: JSON_TYPE, body: JSON.stringify({ error }) };
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

export function refuse(status: number, code: string, message: string, suggestion?: string): never {
  throw new Refused(failed(status, code, message, suggestion));
}

export function refuseParameters(message: string): never {
  return refuse(400, "global/invalid-parameters", message);
}

export function refuseMissing(status: 400 | 404, what: string): never {
  return refuse(status, "global/object-does-not-exist", `Specified ${what} does not exist.`);
}
