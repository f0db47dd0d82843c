// Each method of the contract has its row, and what the row says is what the signature says.
import type {
  CallOptions,
  Instance,
  MakingOperation,
  OperationName,
  OperationRows,
  RequestOf,
  RequestOperation,
} from "@slipway/core";
import { same } from "./same.ts";

interface PauseOptions extends CallOptions {
  readonly reason: string;
  readonly hard?: boolean | undefined;
}
interface Methods {
  readonly pause: (id: string, call?: CallOptions) => Promise<Instance>;
  readonly pauses: (call?: CallOptions) => Promise<readonly Instance[]>;
  readonly pauseAll: (options: PauseOptions) => Promise<void>;
}
const pause = { result: "instance", writes: true, callArgument: 1, takes: "instance" } as const;
const pauses = { result: "instances", writes: false, callArgument: 0 } as const;
const options = { reason: "text", "hard?": "flag" } as const;
const pauseAll = { result: "nothing", writes: true, callArgument: 0, options } as const;
const bare = { result: "instance", writes: true, callArgument: 1 } as const;
const rows = { pause, pauses, pauseAll };
export const right: OperationRows<Methods> = rows;
// @ts-expect-error a method without its row
export const forgotten: OperationRows<Methods> = { pause, pauses };
// @ts-expect-error a row without its method
export const foreign: OperationRows<Methods> = { pause, pauses, pauseAll, paused: pauses };
// @ts-expect-error it answers one instance
export const wrongResult: OperationRows<Methods> = { ...rows, pause: { ...pause, result: "instances" } };
// @ts-expect-error it answers something
export const nothing: OperationRows<Methods> = { ...rows, pause: { ...pause, result: "nothing" } };
// @ts-expect-error it takes an id
export const withoutId: OperationRows<Methods> = { ...rows, pause: bare };
// @ts-expect-error it takes no id
export const withId: OperationRows<Methods> = { ...rows, pauses: { ...pauses, takes: "instance" } };
// @ts-expect-error it needs options
export const withoutOptions: OperationRows<Methods> = { ...rows, pauseAll: { ...pauseAll, options: undefined } };
// @ts-expect-error one of its options is forgotten
export const shortOptions: OperationRows<Methods> = { ...rows, pauseAll: { ...pauseAll, options: { reason: "text" } } };
// @ts-expect-error it needs none
export const withOptions: OperationRows<Methods> = { ...rows, pause: { ...pause, options } };

same<
  Extract<OperationName, "spawn" | "terminate" | "list" | "get" | "createVolume" | "generateBootstrap" | "exec">,
  "spawn" | "terminate" | "list" | "get" | "createVolume"
>();
same<
  RequestOperation,
  "spawn" | "createSnapshot" | "requestSpotInstance" | "createVolume" | "warmVolume" | "claimWarmVolume" | "getCosts"
>();
same<MakingOperation, "spawn" | "createSnapshot" | "requestSpotInstance" | "createVolume" | "warmVolume">();
same<RequestOf<Methods["pause"]>, never>();
