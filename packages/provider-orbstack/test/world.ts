import type { CommandOptions, Exec } from "@slipway/core";
import { type OrbstackEmulator, type OrbstackEmulatorSettings, orbstackEmulator } from "../emulator/index.ts";
import { type OrbstackOptions, type OrbstackProvider, orbstack } from "../src/index.ts";

export interface Sent {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: CommandOptions;
}

export interface World extends OrbstackEmulator {
  readonly provider: OrbstackProvider;
  /** Another process: it shares nothing but the Mac. */
  readonly another: (options?: Partial<OrbstackOptions>) => OrbstackProvider;
  /** Another process, right before whose first command of this kind something else happens. */
  readonly meanwhile: (verb: string, happens: (args: readonly string[]) => Promise<unknown>) => OrbstackProvider;
  /** Every command of every provider. */
  readonly sent: readonly Sent[];
  /** The subcommands that were sent since the last look. */
  readonly verbs: () => readonly string[];
}

export const OWNER = "t";

/** A provider over an emulated Mac. Close it. */
export function orbstackWorld(settings: OrbstackEmulatorSettings = {}): World {
  const emulator = orbstackEmulator(settings);
  const sent: Sent[] = [];
  let seen = 0;
  const exec: Exec = (file, args, options = {}) => {
    sent.push({ file, args, options });
    return emulator.exec(file, args, options);
  };
  const another: World["another"] = (options = {}) =>
    orbstack({
      owner: OWNER,
      variables: { HOME: "/home/t" },
      ...options,
      runtime: { exec, clock: emulator.clock, ...options.runtime },
    });
  const meanwhile: World["meanwhile"] = (verb, happens) => {
    let has = false;
    return another({
      runtime: {
        exec: async (file, args, options) => {
          if (!has && args[0] === verb) {
            has = true;
            await happens(args);
          }
          return await exec(file, args, options);
        },
      },
    });
  };
  return {
    ...emulator,
    provider: another(),
    another,
    meanwhile,
    sent,
    verbs: () => {
      const verbs = sent.slice(seen).map(({ args }) => args[0] ?? "");
      seen = sent.length;
      return verbs;
    },
  };
}
