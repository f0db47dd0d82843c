import type { EmulatedMachine } from "./machines.ts";

/** What runs the user data of a machine in its sandbox. */
export interface UserDataReader {
  /** For the emulator's first line: who reads it. */
  readonly name: string;
  /** Writes what the reader needs into the machine's directory, with the root in it. Throws for what it does not do. */
  readonly prepare: (directory: string, machine: EmulatedMachine) => Promise<void>;
  /** Runs at each start, by `/bin/sh` as root in the machine. It ends when the user data has run. */
  readonly start: string;
  /** Files with the keys that let in, from the machine's directory. */
  readonly keyFiles: readonly string[];
  /** Whether the start makes the keys, and says so by a file `KEYS_READY` in the machine's run directory. */
  readonly makesKeys: boolean;
}

export const KEYS_READY = "keys-ready";
