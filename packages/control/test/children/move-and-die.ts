// Moves a directory of records into a database and is killed at the given call of those that change the disk.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync, StatementSync } from "node:sqlite";

const [directory = "", file = "", fatal = "0"] = process.argv.slice(2);
let calls = 0;

/** Dies before every call with an odd number and after every call with an even one. */
function mayDie(target: object, name: string): void {
  const work: unknown = Reflect.get(target, name);
  if (typeof work !== "function") throw new Error(`no function ${name}`);
  const die = (): void => {
    calls += 1;
    if (calls === Number(fatal)) process.kill(process.pid, "SIGKILL");
  };
  Reflect.set(target, name, function (this: unknown, ...args: readonly unknown[]): unknown {
    die();
    const result: unknown = Reflect.apply(work, this, args);
    if (result instanceof Promise) return result.finally(die);
    die();
    return result;
  });
}

for (const name of ["rename", "open", "mkdir"]) mayDie(fs, name);
syncBuiltinESMExports();
mayDie(DatabaseSync.prototype, "exec");
mayDie(StatementSync.prototype, "run");

const { allEntries, sqliteStore } = await import("../../src/index.ts");
console.log((await allEntries(sqliteStore(file, { moveFrom: directory }))).length);
