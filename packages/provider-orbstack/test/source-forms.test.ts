import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orbstackEmulator } from "../emulator/index.ts";
import { readAnswer } from "../src/answers.ts";
import { statusOf } from "../src/instance.ts";
import { infoAnswer, listAnswer } from "../src/wire.ts";
import { sourceForms } from "./source-forms.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-forms-"));
  writeFileSync(join(directory, "user-data"), "#cloud-config\n");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("each source has its own", () => {
  const keys = sourceForms.map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toHaveLength(21);
});

describe.each(sourceForms.map((form) => [form.key, form] as const))("%s", (_key, form) => {
  test("its calls are taken", async () => {
    const emulator = orbstackEmulator({ engineSettings: { strictForce: form.lenient !== true } });
    try {
      await emulator.orbctl(["create", "debian", "web"]);
      const [web] = await emulator.control.machines();
      const filled = (argv: readonly string[]): readonly string[] =>
        argv.map((word) => (word === "ID" ? (web?.nativeId ?? "") : word.replace(/^DIR/, directory)));
      for (const [argv, said] of form.refused ?? []) {
        const answer = await emulator.orbctl(filled(argv));
        expect({ argv, refused: answer.code !== 0, said: answer.stderr }).toMatchObject({ argv, refused: true });
        expect(answer.stderr).toContain(said);
        expect(answer.stdout).toBe("");
      }
      for (const argv of form.calls ?? []) {
        const { code, stderr } = await emulator.orbctl(filled(argv), { stdin: "" });
        expect({ argv, code, stderr }).toEqual({ argv, code: 0, stderr: "" });
      }
    } finally {
      await emulator.close();
    }
  });

  test("what it has seen is understood", () => {
    const call = { operation: "list" } as const;
    if (form.list !== undefined) {
      const rows = readAnswer(form.list, listAnswer, "list", call);
      expect(rows.length).toBeGreaterThan(0);
      for (const { id, state } of rows) expect([id.length, typeof statusOf(state)]).toEqual([26, "string"]);
    }
    if (form.info !== undefined) {
      expect(readAnswer(form.info, infoAnswer, "info", call).record.name).toBe("web-server");
    }
    expect(form.calls ?? form.list ?? form.info).toBeDefined();
  });
});
