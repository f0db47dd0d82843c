import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eachName, namesThat } from "../src/store/file-faults.ts";
import { recordNames } from "../src/store/run-steps.ts";

const nameOf = (index: number): string => createHash("sha256").update(String(index)).digest("hex").slice(0, 40);

test("names of records come back as they were, also many, and nothing else is one", () => {
  const names = recordNames();
  for (let index = 0; index < 1000; index += 1) expect(names.add(`${nameOf(index)}.json`)).toBe(true);
  for (const other of ["", "a.json", `${nameOf(1)}.lease`, `${nameOf(1).toUpperCase()}.json`, `x${nameOf(1)}.json`]) {
    expect(names.add(other)).toBe(false);
  }
  expect(names.count()).toBe(1000);
  expect(Array.from({ length: 1000 }, (_value, index) => names.at(index))).toEqual(
    Array.from({ length: 1000 }, (_value, index) => nameOf(index)),
  );
});

test("every name in a directory is shown once, more than are read at once too; none where there is no directory", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-names-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const written = Array.from({ length: 5000 }, (_value, index) => `${index}.x`);
  await Promise.all(written.map((name) => writeFile(join(directory, name), "")));
  const shown: string[] = [];
  await eachName(directory, (name) => shown.push(name));
  expect(shown.toSorted()).toEqual(written.toSorted());
  expect(await namesThat(directory, (name) => name === "7.x")).toEqual(["7.x"]);
  expect(await namesThat(join(directory, "none"), () => true)).toEqual([]);
  await expect(namesThat(join(directory, "7.x"), () => true)).rejects.toMatchObject({ code: "ENOTDIR" });
});
