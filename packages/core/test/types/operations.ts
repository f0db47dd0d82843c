// Each method of the contract has its row, and what the row says is what the signature says.
import type { CallOptions, Instance, OperationName, OperationRows, RequestOf, RequestOperation } from "@slipway/core";
import { same } from "./same.ts";

interface Methods {
  readonly pause: (id: string, call?: CallOptions) => Promise<Instance>;
  readonly pauses: (call?: CallOptions) => Promise<readonly Instance[]>;
}
const pause = { result: "instance", writes: true, callArgument: 1, takes: "instance" } as const;
const pauses = { result: "instances", writes: false, callArgument: 0 } as const;
export const right: OperationRows<Methods> = { pause, pauses };
// @ts-expect-error a method without its row
export const forgotten: OperationRows<Methods> = { pause };
// @ts-expect-error a row without its method
export const foreign: OperationRows<Methods> = { pause, pauses, paused: pauses };
// @ts-expect-error it answers one instance
export const wrongResult: OperationRows<Methods> = { pause: { ...pause, result: "instances" }, pauses };
// @ts-expect-error it answers something
export const nothing: OperationRows<Methods> = { pause: { ...pause, result: "nothing" }, pauses };
// @ts-expect-error it takes an id
export const withoutId: OperationRows<Methods> = {
  pause: { result: "instance", writes: true, callArgument: 1 },
  pauses,
};
// @ts-expect-error it takes no id
export const withId: OperationRows<Methods> = { pause, pauses: { ...pauses, takes: "instance" } };

same<
  Extract<OperationName, "spawn" | "terminate" | "list" | "get" | "createVolume" | "generateBootstrap" | "exec">,
  "spawn" | "terminate" | "list" | "get" | "createVolume"
>();
same<
  RequestOperation,
  "spawn" | "createSnapshot" | "requestSpotInstance" | "createVolume" | "warmVolume" | "claimWarmVolume" | "getCosts"
>();
same<RequestOf<Methods["pause"]>, never>();
