import { ERROR_CODES } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { commandError } from "../src/errors.ts";
import { slurmErrorTable } from "../src/index.ts";
import { fixtures } from "./fixtures.ts";

const call = { operation: "spawn" } as const;

describe("what Slurm's commands print", () => {
  test.each(fixtures)("$id", ({ id, stderr, code, scope, effect }) => {
    const error = commandError(call, "sbatch", stderr, true);
    const expected = { code, effect, operation: "spawn", scope: scope ?? ERROR_CODES[code].scope };
    expect(error).toMatchObject({ ...expected, native: { code: id ?? "sbatch-failed" } });
    // A command that reads changes nothing, whatever it prints.
    expect(commandError(call, "squeue", stderr, false).effect).toBe("none");
    expect(error.message).toMatch(/^sbatch: (?!sbatch)./);
    expect(error.message).not.toContain("\n");
  });

  test("each row has a fixture, and each id is one row's", () => {
    const ids = slurmErrorTable.map(({ id }) => id);
    expect([...new Set(fixtures.flatMap(({ id }) => (id === undefined ? [] : [id])))].toSorted()).toEqual(
      ids.toSorted(),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("what a new user meets says what to do", () => {
    for (const id of ["no-munge", "no-configuration", "controller-down", "no-partition"]) {
      const { stderr = "" } = fixtures.find((one) => one.id === id) ?? {};
      expect(commandError(call, "sbatch", stderr, true).hint, id).toMatch(/^[A-Z].*\.$/);
    }
  });
});
