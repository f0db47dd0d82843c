import { isProviderError, type ProviderError, type RuntimeEvent } from "@slipway/core";
import { type Ec2Emulator, type Ec2EmulatorSettings, ec2Emulator } from "../emulator/index.ts";
import { type AwsOptions, type AwsProvider, aws } from "../src/index.ts";
import { CREDENTIALS, runtimeOf } from "./aws-harness.ts";

/** One request as it went over the wire. */
export interface SentRequest {
  readonly action: string;
  readonly region: string;
  readonly parameters: URLSearchParams;
}

export interface AwsWorld {
  readonly emulator: Ec2Emulator;
  readonly provider: AwsProvider;
  readonly events: readonly RuntimeEvent[];
  /** Another process: it shares nothing but the remote. */
  readonly another: (options?: Partial<AwsOptions>) => AwsProvider;
  readonly options: (more?: Partial<AwsOptions>) => AwsOptions;
  /** The requests of one action, in order. */
  readonly sent: (action: string) => readonly SentRequest[];
}

/** An emulator without rate limits unless `settings` wants them, and a provider over it. */
export function awsWorld(settings: Ec2EmulatorSettings = {}, given: Partial<AwsOptions> = {}): AwsWorld {
  const emulator = ec2Emulator({ credentials: [CREDENTIALS], limits: null, ...settings });
  const requests: SentRequest[] = [];
  const events: RuntimeEvent[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push(requestOf(init));
    return await emulator.fetch(input, init);
  };
  const options = (more: Partial<AwsOptions> = {}): AwsOptions => ({
    credentials: CREDENTIALS,
    owner: "tests",
    regions: ["us-east-1"],
    readAfterWriteMs: 5_000,
    runtime: { ...runtimeOf(emulator), fetch, onEvent: (event) => events.push(event) },
    ...given,
    ...more,
  });
  return {
    emulator,
    events,
    options,
    provider: aws(options()),
    another: (more) => aws(options(more)),
    sent: (action) => requests.filter((request) => request.action === action),
  };
}

function requestOf(init: RequestInit | undefined): SentRequest {
  const headers = new Headers(init?.headers);
  const [, region = ""] = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.get("authorization") ?? "") ?? [];
  const target = headers.get("x-amz-target");
  const parameters = new URLSearchParams(target === null && typeof init?.body === "string" ? init.body : "");
  return { action: target?.split(".").at(-1) ?? parameters.get("Action") ?? "", region, parameters };
}

/** Stands between a process and the remote: `send` lets the request through, with what `change` makes of it. */
export type Wire = (
  request: SentRequest,
  send: (change?: (parameters: URLSearchParams) => void) => Promise<Response>,
) => Promise<Response>;

export function wired(fetch: typeof globalThis.fetch, wire: Wire): typeof globalThis.fetch {
  return (input, init) => {
    const request = requestOf(init);
    return wire(request, (change) => {
      if (change === undefined) return fetch(input, init);
      const parameters = new URLSearchParams(request.parameters);
      change(parameters);
      return fetch(input, { ...init, body: parameters.toString() });
    });
  };
}

/** Another process over the same remote, whose requests pass through `wire`. */
export function through(world: AwsWorld, wire: Wire): AwsProvider {
  const { runtime = {} } = world.options();
  return world.another({ runtime: { ...runtime, fetch: wired(runtime.fetch ?? globalThis.fetch, wire) } });
}

/** EC2's answer to what it refuses. */
export function refusedWith(code: string, message = "no", status = 400): Response {
  const body = `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>1</RequestID></Response>`;
  return new Response(body, { status, headers: { "content-type": "text/xml;charset=UTF-8" } });
}

/** The ProviderError that a call rejects with. */
export async function failure(call: Promise<unknown>): Promise<ProviderError> {
  try {
    await call;
  } catch (error) {
    if (isProviderError(error)) return error;
    throw error;
  }
  throw new Error("the call resolved");
}
