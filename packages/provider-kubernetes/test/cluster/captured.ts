import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

const FOLDER = path.join(import.meta.dirname, "..", "captured");
// One writer after the other: cases of one file run so.
const captures = z.record(z.string(), z.unknown());

/** With CAPTURE=1 keeps what the real server has answered, by the row that it shows, for the tests that have no server. */
export async function capture(kind: "pods" | "errors", row: string, answer: unknown): Promise<void> {
  if (process.env["CAPTURE"] !== "1") return;
  const file = path.join(FOLDER, `${kind}.json`);
  const kept = captures.parse(JSON.parse(await readFile(file, "utf8").catch(() => "{}")));
  const sorted = Object.entries({ ...kept, [row]: JSON.parse(JSON.stringify(answer, withoutManagers)) }).toSorted(
    ([a], [b]) => (a < b ? -1 : 1),
  );
  await writeFile(file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

/** Who has set which field is most of an answer, and nothing that is read. */
function withoutManagers(name: string, value: unknown): unknown {
  return name === "managedFields" ? undefined : value;
}
