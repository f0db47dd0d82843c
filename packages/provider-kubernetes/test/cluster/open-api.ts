import { Ajv, type ValidateFunction } from "ajv";
import { type Admin } from "slipway-kubernetes-cluster";
import { z } from "zod";

const JSON_TYPE = "application/json";
const STATUS = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
const DOCUMENTS = ["api/v1", "apis/batch/v1", "apis/authorization.k8s.io/v1"];

const media = z.record(z.string(), z.object({ schema: z.object({ $ref: z.string().optional() }).optional() }));
const parameters = z.array(z.object({ name: z.string(), in: z.string() })).optional();
const operation = z.object({
  parameters,
  requestBody: z.object({ content: media }).optional(),
  responses: z.record(z.string(), z.object({ content: media.optional() })),
});
const document = z.looseObject({ paths: z.record(z.string(), z.looseObject({ parameters })) });

const kind = z.object({ kind: z.string() });

interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly request: unknown;
  readonly status: number;
  readonly type: string;
  readonly answer: string;
}

export interface Judgement {
  /** All exchanges, and those that differ in more than names and numbers. */
  readonly calls: number;
  readonly kept: number;
  readonly operations: readonly string[];
  readonly failures: readonly string[];
}

export interface Recorder {
  /** A fetch whose exchanges are kept. Answers that stream are not JSON, and pass as they are. */
  readonly recorded: (real: typeof globalThis.fetch) => typeof globalThis.fetch;
  /** By the document that the server itself publishes. */
  readonly judged: (admin: Admin) => Promise<Judgement>;
}

/** Keeps what is sent and answered, and judges both by the server's own OpenAPI document. */
export function recorder(): Recorder {
  const kept = new Map<string, Exchange>();
  let calls = 0;
  return {
    recorded: (real) => async (input, init) => {
      const answer = await real(input, init);
      const type = answer.headers.get("content-type") ?? "";
      calls += 1;
      const exchange = {
        method: init?.method ?? "GET",
        url: new URL(String(input)),
        request: typeof init?.body === "string" ? JSON.parse(init.body) : undefined,
        status: answer.status,
        type,
        answer: type.startsWith(JSON_TYPE) ? await answer.clone().text() : "",
      };
      const shape = JSON.stringify({ ...exchange, url: exchange.url.href });
      kept.set(shape.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|slip-[a-z0-9-]+|\d+/g, "0"), exchange);
      return answer;
    },
    judged: async (admin) => {
      const judge = await judgeOf(admin);
      const all = [...kept.values()].map(judge);
      return {
        calls,
        kept: kept.size,
        operations: [...new Set(all.map(({ name }) => name))].toSorted(),
        failures: [...new Set(all.flatMap(({ failures }) => failures))],
      };
    },
  };
}

async function judgeOf(admin: Admin) {
  // Its formats are Kubernetes' own; `x-kubernetes-…` is not JSON Schema.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const operations: {
    readonly pattern: RegExp;
    readonly home: string;
    readonly item: z.infer<typeof document>["paths"][string];
  }[] = [];
  for (const home of DOCUMENTS) {
    const text = document.parse((await admin.request("GET", `openapi/v3/${home}`)).json);
    ajv.addSchema(text, home);
    for (const [path, item] of Object.entries(text.paths)) {
      operations.push({ pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`), home, item });
    }
  }
  const validators = new Map<string, ValidateFunction>();
  const faultsIn = (home: string, ref: string, value: unknown): readonly string[] => {
    const id = `${home}${ref}`;
    const validate = validators.get(id) ?? ajv.compile({ $ref: id });
    validators.set(id, validate);
    return validate(value) ? [] : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message ?? ""}`);
  };
  return ({ method, url, request, status, type, answer }: Exchange) => {
    const found = operations.find(({ pattern }) => pattern.test(url.pathname));
    const parsed = operation.safeParse(found?.item[method.toLowerCase()]);
    if (found === undefined || !parsed.success) {
      return { name: `${method} ${url.pathname}`, failures: [`${method} ${url.pathname} is not in the document`] };
    }
    const { home, item, pattern } = found;
    const name = `${method} ${pattern.source.slice(1, -1).replaceAll("[^/]+", "*").replaceAll("\\/", "/")}`;
    const known = new Set([...(item.parameters ?? []), ...(parsed.data.parameters ?? [])].map((one) => one.name));
    const failures: string[] = [];
    for (const query of url.searchParams.keys())
      if (!known.has(query)) failures.push(`the parameter ${query} is unknown`);
    if (method === "POST" && known.has("fieldValidation") && url.searchParams.get("fieldValidation") !== "Strict") {
      failures.push("it is not sent with fieldValidation=Strict");
    }
    if (request !== undefined) {
      const ref = Object.values(parsed.data.requestBody?.content ?? {})[0]?.schema?.$ref;
      failures.push(...(ref === undefined ? ["it takes no body"] : faultsIn(home, ref, request)));
    }
    if (type.startsWith(JSON_TYPE)) {
      const value: unknown = JSON.parse(answer, withoutNull);
      const isStatus = kind.safeParse(value).data?.kind === "Status";
      // What is deleted and stays for a moment is answered itself, where the document knows a Status alone.
      const answers = method === "DELETE" && !isStatus ? operation.safeParse(item["get"]).data : parsed.data;
      const ref = answers?.responses[String(status)]?.content?.[JSON_TYPE]?.schema?.$ref;
      const schema = status >= 400 ? `#/components/schemas/${STATUS}` : ref;
      failures.push(...(schema === undefined ? [`the answer ${status} is not in it`] : faultsIn(home, schema, value)));
    }
    return { name, failures: failures.map((fault) => `${name} (${status}): ${fault}`) };
  };
}

/** The server writes null for a time that it does not have; its document says that a time is a text. */
function withoutNull(_name: string, value: unknown): unknown {
  return value === null ? undefined : value;
}
