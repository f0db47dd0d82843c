import type { HttpAnswer } from "@slipway/provider-kit/emulator";

const XML = { "content-type": "text/xml;charset=UTF-8" };
const AWS_JSON = { "content-type": "application/x-amz-json-1.1" };
const NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/";
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

export function ec2Answer(action: string, requestId: string, fields: XmlFields): HttpAnswer {
  const body = `${DECLARATION}<${action}Response xmlns="${NAMESPACE}">${xmlOf({ requestId, ...fields })}</${action}Response>`;
  return { status: 200, headers: XML, body };
}

export function stsAnswer(action: string, requestId: string, fields: XmlFields): HttpAnswer {
  const inside = `<${action}Result>${xmlOf(fields)}</${action}Result>${xmlOf({ ResponseMetadata: { RequestId: requestId } })}`;
  const body = `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${inside}</${action}Response>`;
  return { status: 200, headers: XML, body };
}

export function jsonAnswer(fields: unknown): HttpAnswer {
  return { status: 200, headers: AWS_JSON, body: JSON.stringify(fields) };
}

/** The services that are emulated, by the name in the scope of a signature. */
export type Service = "ec2" | "sts" | "ssm" | "pricing" | "ce";

/** An error as each service writes it. */
export function errorAnswer(service: Service, { code, message, status }: Problem, requestId: string): HttpAnswer {
  if (service === "ec2") {
    const error = `<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
    const body = `${DECLARATION}<Response><Errors>${error}</Errors><RequestID>${requestId}</RequestID></Response>`;
    return { status, headers: XML, body };
  }
  if (service === "sts") {
    const error = `<Error><Type>${status < 500 ? "Sender" : "Receiver"}</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
    const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${error}<RequestId>${requestId}</RequestId></ErrorResponse>`;
    return { status, headers: XML, body };
  }
  return { status, headers: AWS_JSON, body: JSON.stringify({ __type: code, message }) };
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

// 400 where nothing stands here.
const STATUS: Readonly<Record<string, number>> = {
  AuthFailure: 401,
  UnauthorizedOperation: 403,
  AccessDenied: 403,
  OptInRequired: 401,
  DryRunOperation: 412,
  RequestLimitExceeded: 503,
  EC2ThrottledException: 503,
  Unavailable: 503,
  ServiceUnavailable: 503,
  InternalError: 500,
  InternalFailure: 500,
  ServerInternal: 500,
  RetryableError: 500,
  InsufficientInstanceCapacity: 500,
  InsufficientCapacity: 500,
  InsufficientHostCapacity: 500,
  InsufficientCapacityOnHost: 500,
  InsufficientVolumeCapacity: 500,
  InsufficientAddressCapacity: 500,
  InsufficientReservedInstanceCapacity: 500,
  InsufficientReservedInstancesCapacity: 500,
  MissingAuthenticationToken: 403,
  InvalidClientTokenId: 403,
  SignatureDoesNotMatch: 403,
};

export function problem(code: string, message: string): Problem {
  return { code, message, status: STATUS[code] ?? 400 };
}

/** Thrown where a request is refused. Nothing was changed, unless the place that throws says otherwise. */
export class Refused extends Error {
  override readonly name: string = "Refused";
  readonly problem: Problem;
  constructor(why: Problem) {
    super(`${why.code}: ${why.message}`);
    this.problem = why;
  }
}

export function refuse(code: string, message: string): never {
  throw new Refused(problem(code, message));
}

export function refuseValue(value: unknown, parameter: string, why: string): never {
  return refuse("InvalidParameterValue", `Value (${String(value)}) for parameter ${parameter} is invalid. ${why}`);
}

/** What an answer holds. A list is written as EC2 writes it: `<name><item>…</item></name>`; null and undefined are left out. */
export type XmlValue = string | number | boolean | null | undefined | readonly XmlValue[] | XmlFields;

export interface XmlFields {
  readonly [name: string]: XmlValue;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return (
    text
      .replaceAll(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign)
      // A carriage return that is not written as a reference is read back as a line feed.
      .replaceAll("\r", "&#13;")
  );
}

function xmlOf(fields: XmlFields): string {
  return Object.entries(fields)
    .map(([name, value]) => (value === null || value === undefined ? "" : `<${name}>${inside(value)}</${name}>`))
    .join("");
}

function inside(value: Exclude<XmlValue, null | undefined>): string {
  if (isList(value)) return value.map((item) => xmlOf({ item })).join("");
  return typeof value === "object" ? xmlOf(value) : escaped(String(value));
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}
