import { type OperationRow, operationTable } from "@slipway/core";

/** What a listing shows, and a late read may show as it was. */
type Kind = "instance" | "snapshot" | "volume";

const KINDS: Readonly<Record<string, Kind>> = {
  instance: "instance",
  instances: "instance",
  snapshot: "snapshot",
  snapshots: "snapshot",
  volume: "volume",
  volumes: "volume",
};

const ROWS: ReadonlyMap<string, OperationRow> = new Map(Object.entries(operationTable()));

/** What the contract knows of the method; undefined for one beyond it. */
export function rowOf(operation: string): OperationRow | undefined {
  return ROWS.get(operation);
}

/** Does the method change nothing? One beyond the contract counts as a write: that is the safe side. */
export function isRead(operation: string): boolean {
  return rowOf(operation)?.writes === false;
}

/** What the method returns, or else takes by its id; undefined where it is none of the three. */
export function kindOf(operation: string): Kind | undefined {
  const row = rowOf(operation);
  return row === undefined ? undefined : (KINDS[row.result] ?? KINDS[row.takes ?? ""]);
}

/** Does it return instances, or one? */
export function showsInstances(operation: string): boolean {
  const result = rowOf(operation)?.result ?? "";
  return KINDS[result] === "instance";
}

/** Can it start an instance? */
export function starts(operation: string): boolean {
  return rowOf(operation)?.checks === "spawn";
}

/** Does it make something under a key? */
export function makes(operation: string): boolean {
  return starts(operation) || rowOf(operation)?.options?.["key"] !== undefined;
}
