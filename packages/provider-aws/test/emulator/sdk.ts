import { EC2Client } from "@aws-sdk/client-ec2";
import { HttpResponse } from "@smithy/core/protocols";
import type { HttpHandlerOptions, HttpRequest } from "@smithy/types";
import {
  type Ec2Emulator,
  EMULATED_IMAGES,
  EMULATOR_CREDENTIALS,
  type EmulatorCredentials,
} from "../../emulator/index.ts";

/** Sends what the SDK has serialised and signed to the emulator, in this process. */
export function handlerOf(fetch: typeof globalThis.fetch): {
  handle: (request: HttpRequest, options?: HttpHandlerOptions) => Promise<{ response: HttpResponse }>;
} {
  return {
    handle: async ({ protocol, hostname, path, method, headers, body }, { abortSignal } = {}) => {
      const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined;
      const answer = await fetch(`${protocol}//${hostname}${path}`, { method, headers, body, signal: signal ?? null });
      const text = new Uint8Array(await answer.arrayBuffer());
      return {
        response: new HttpResponse({
          statusCode: answer.status,
          headers: Object.fromEntries(answer.headers),
          body: text,
        }),
      };
    },
  };
}

/** AWS's own client, which asks once and sees what a caller would see. */
export function ec2Client(
  { fetch }: Pick<Ec2Emulator, "fetch">,
  region = "us-east-1",
  credentials: EmulatorCredentials = EMULATOR_CREDENTIALS,
): EC2Client {
  return new EC2Client({
    region,
    // The SDK writes into what it is given.
    credentials: { ...credentials },
    maxAttempts: 1,
    requestHandler: handlerOf(fetch),
  });
}

export const IMAGE: string = EMULATED_IMAGES[0]?.id ?? "";

/** The code of the error that a call ends with; "none" if it ends well. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
