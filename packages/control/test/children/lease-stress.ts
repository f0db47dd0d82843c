// Takes one lease over and over. While it has it, nobody else alive may have it: that is checked by a file that says
// who does. Now and then it dies in the middle.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileStore } from "../../src/index.ts";

const [directory = "", rounds = "0", deaths = "0"] = process.argv.slice(2);
const store = fileStore(join(directory, "store"));
const sign = join(directory, "holder");

/** Lets others have their turn, for some moments of no fixed length. */
const linger = async (): Promise<void> => {
  for (let turns = Math.random() * 40; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
};

const isAlive = (pid: number): boolean => {
  try {
    // A killed process that its parent has not collected yet is dead as well.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};

const main = async (): Promise<void> => {
  let held = 0;
  for (let round = 0; round < Number(rounds); round += 1) {
    const lease = await store.acquire("the one");
    if (lease === null) {
      await linger();
      continue;
    }
    held += 1;
    const other = existsSync(sign) ? Number(readFileSync(sign, "utf8") || 0) : 0;
    if (other !== 0 && other !== process.pid && isAlive(other)) console.log(`violated by ${other}`);
    writeFileSync(sign, String(process.pid));
    await linger();
    if (Math.random() < Number(deaths)) process.kill(process.pid, "SIGKILL");
    if (readFileSync(sign, "utf8") !== String(process.pid)) console.log("violated: somebody else signed");
    rmSync(sign, { force: true });
    await store.release(lease);
  }
  console.log(`held ${held}`);
};
void main();
