import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readLightUserData } from "./light-user-data.ts";
import type { EmulatedMachine } from "./machines.ts";
import type { UserDataReader } from "./user-data-reader.ts";

const PLACE = "var/lib/cloud";
const KEYS = "authorized_keys";

// A machine that is stopped in the middle of its first start has had it, as with cloud-init.
const START = [
  `cd /${PLACE}`,
  "if [ -e light-started ]; then script=light-start; else script=light-first-start; touch light-started; fi",
  "cd /",
  `/bin/sh "/${PLACE}/$script" </dev/null`,
  `touch /${PLACE}/light-finished`,
].join("\n");

/** Our own reader, of scripts and of the cloud-configs that most users write. It takes milliseconds. */
export const lightReader: UserDataReader = {
  name: "slipway's own reader",
  start: START,
  keyFiles: [KEYS],
  makesKeys: false,
  prepare,
};

async function prepare(directory: string, machine: EmulatedMachine): Promise<void> {
  const { sshKeys, firstStart, everyStart } = await readLightUserData(machine.userData);
  const isContainer = machine.runsAtEveryStart === true;
  const place = join(directory, "root", PLACE);
  await mkdir(place, { recursive: true });
  // What a boot runs has no home yet.
  const home = isContainer ? "" : "unset HOME\n";
  const later = isContainer ? everyStart + firstStart : everyStart;
  await writeFile(join(place, "light-first-start"), home + everyStart + firstStart, { mode: 0o700 });
  await writeFile(join(place, "light-start"), home + later, { mode: 0o700 });
  const keys = [...machine.sshKeys, ...sshKeys].map((key) => `${key}\n`).join("");
  await writeFile(join(directory, KEYS), keys, { mode: 0o600 });
}
