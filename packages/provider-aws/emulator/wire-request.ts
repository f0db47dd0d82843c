import { treeOf } from "./action.ts";
import { type Problem, problem, Refused, type Service } from "./answers.ts";

/** A request, as far as every service reads it alike. */
export interface WireRequest {
  readonly service: Service;
  readonly region: string;
  readonly accessKeyId: string;
  /** `RunInstances`, or the whole target of a JSON service. */
  readonly target: string;
  /** The name of the action alone. */
  readonly action: string;
  readonly parameters: unknown;
}

const SERVICES: readonly Service[] = ["ec2", "sts", "ssm", "pricing", "ce"];
const SCOPE = /Credential=([^/,\s]+)\/\d{8}\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request/;

/** Reads service and region from the scope of the signature, whatever the host is called. */
export async function wireRequest(request: Request): Promise<WireRequest> {
  const scope = SCOPE.exec(request.headers.get("authorization") ?? "");
  const [, accessKeyId = "", region = "", name = "ec2"] = scope ?? [];
  const service = SERVICES.find((one) => one === name) ?? "ec2";
  const common = { service, region, accessKeyId };
  const body = await request.text();
  if (service === "ec2" || service === "sts") {
    const form = new URLSearchParams(request.method === "GET" ? new URL(request.url).search : body);
    const action = form.get("Action") ?? "";
    return { ...common, target: action, action, parameters: formOf(form) };
  }
  const target = request.headers.get("x-amz-target") ?? "";
  return { ...common, target, action: target.split(".")[1] ?? "", parameters: jsonOf(body) };
}

const VERSIONS = ["2016-11-15", "2011-06-15"];

function formOf(form: URLSearchParams): unknown {
  if (!form.has("Action")) return new Refused(problem("MissingAction", "The request is missing an action"));
  if (!VERSIONS.includes(form.get("Version") ?? "")) {
    return new Refused(problem("InvalidAction", "The action is not valid for this version of the API"));
  }
  try {
    return treeOf(form);
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return new Refused(problem("SerializationException", "The body is not JSON"));
  }
}

/** Who may not call at all. */
export function unknownCaller({ accessKeyId, service }: WireRequest, known: readonly string[]): Problem | null {
  if (known.includes(accessKeyId)) return null;
  if (service === "ec2") {
    return accessKeyId === ""
      ? problem("MissingAuthenticationToken", "The request must contain a valid AWS authentication token")
      : problem("AuthFailure", "AWS was not able to validate the provided access credentials");
  }
  if (service === "sts")
    return problem("InvalidClientTokenId", "The security token included in the request is invalid.");
  return problem("UnrecognizedClientException", "The security token included in the request is invalid.");
}
