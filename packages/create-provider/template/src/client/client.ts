import { isProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import type { __Name__Settings } from "../options.ts";
import {
  type CreateBody,
  machine,
  machines,
  nothing,
  type WireMachine,
  // #if persistentVolumes
  disk,
  disks,
  type WireDisk,
  // #end
  // #if snapshots
  capture,
  captures,
  type WireCapture,
  // #end
} from "../wire.ts";
import { sender } from "./send.ts";

/** The only thing that speaks to the remote. */
export interface __Name__Client {
  /** `secrets` must not show anywhere. */
  readonly create: (call: Call, body: CreateBody, secrets: readonly string[]) => Promise<WireMachine>;
  /** Complete, or it rejects. */
  readonly list: (call: Call) => Promise<readonly WireMachine[]>;
  /** Null only if the remote says that there is none. */
  readonly read: (call: Call, id: string) => Promise<WireMachine | null>;
  /** `gone`: the remote says that there is none. */
  readonly remove: (call: Call, id: string) => Promise<"accepted" | "gone">;
  // #if hibernation
  readonly act: (call: Call, id: string, action: "save" | "wake") => Promise<WireMachine>;
  // #end
  // #if persistentVolumes
  readonly createDisk: (
    call: Call,
    body: { readonly name: string; readonly sizeBytes: number; readonly region?: string },
  ) => Promise<WireDisk>;
  readonly disks: (call: Call) => Promise<readonly WireDisk[]>;
  readonly removeDisk: (call: Call, id: string) => Promise<"accepted" | "gone">;
  // #end
  // #if snapshots
  readonly capture: (call: Call, id: string, tags: Readonly<Record<string, string>>) => Promise<WireCapture>;
  readonly captures: (call: Call) => Promise<readonly WireCapture[]>;
  readonly removeCapture: (call: Call, id: string) => Promise<void>;
  // #end
}

export function __name__Client(options: __Name__Settings): __Name__Client {
  const send = sender(options);
  return {
    create: (call, body, secrets) => send({ ...call, verb: "create", thing: "machines", body, answer: machine, secrets }),
    list: async (call) => (await send({ ...call, verb: "list", thing: "machines", answer: machines })).machines,
    read: (call, id) => unlessGone(send({ ...call, verb: "read", thing: "machines", id, answer: machine })),
    remove: (call, id) => removed(send({ ...call, verb: "delete", thing: "machines", id, answer: nothing })),
    // #if hibernation
    act: (call, id, action) => send({ ...call, verb: action, thing: "machines", id, answer: machine }),
    // #end
    // #if persistentVolumes
    createDisk: (call, body) => send({ ...call, verb: "create", thing: "disks", body, answer: disk }),
    disks: async (call) => (await send({ ...call, verb: "list", thing: "disks", answer: disks })).disks,
    removeDisk: (call, id) => removed(send({ ...call, verb: "delete", thing: "disks", id, answer: nothing })),
    // #end
    // #if snapshots
    capture: (call, id, tags) =>
      send({ ...call, verb: "create", thing: "captures", body: { machine: id, tags }, answer: capture }),
    captures: async (call) => (await send({ ...call, verb: "list", thing: "captures", answer: captures })).captures,
    removeCapture: async (call, id) => {
      await unlessGone(send({ ...call, verb: "delete", thing: "captures", id, answer: nothing }));
    },
    // #end
  };
}

async function removed(request: Promise<unknown>): Promise<"accepted" | "gone"> {
  return (await unlessGone(request.then(() => true))) === null ? "gone" : "accepted";
}

async function unlessGone<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (isProviderError(error, "NOT_FOUND")) return null;
    throw error;
  }
}
