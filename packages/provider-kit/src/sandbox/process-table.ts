/** One process of this machine. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** When it began, in the table's own unit: only to be compared for equality. */
  readonly startTime: string;
  /** It has ended and waits for its parent to read how. */
  readonly zombie: boolean;
}

/** One process, and what tells whose it is. */
export interface ProcessSight extends ProcessRow {
  /** The value of the asked variable in its environment at its start; null without it. */
  readonly tag: string | null;
  /** The files that its standard output and error go to; none where the system does not tell. */
  readonly outputs: readonly string[];
}

/** This machine's processes, read live. */
export interface ProcessTable {
  /** Another value after every restart of the machine. */
  readonly bootId: () => Promise<string>;
  /** Which set of process ids this is; two processes that see different sets cannot judge each other's ids. */
  readonly namespace: () => string;
  /** Null if there is no such process, or it is a zombie. */
  readonly startTime: (pid: number) => Promise<string | null>;
  readonly rows: () => Promise<readonly ProcessRow[]>;
  /** The ids of processes whose environment at their start held all these `NAME=value` entries. */
  readonly withEnvironment: (entries: readonly string[]) => Promise<readonly number[]>;
  /** Every process, those too that began while the others were read. */
  readonly everything: (variable: string) => Promise<readonly ProcessSight[]>;
}
