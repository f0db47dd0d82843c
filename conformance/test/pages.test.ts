import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorTableRow } from "@slipway/contract-tests";
import { kubernetesErrorTable } from "@slipway/provider-kubernetes";
import { slurmErrorTable } from "@slipway/provider-slurm";
import { describe, expect, test } from "vitest";
import { capabilityPage } from "../src/capability-page.ts";
import { comparisonPage } from "../src/comparison-page.ts";
import { errorPage } from "../src/error-page.ts";
import { harnesses } from "./harnesses.ts";
import { registrations, withoutRemote } from "./registrations.ts";

const PAGES: Readonly<Record<string, () => Promise<string>>> = {
  "capabilities.md": async () => capabilityPage({ ...(await registrations()), ...(await withoutRemote()) }),
  "comparison.md": () => comparisonPage(harnesses),
  "errors.md": async () => {
    const tables: Record<string, readonly ErrorTableRow[]> = {};
    for (const [name, factory] of Object.entries(harnesses)) {
      const harness = await factory();
      tables[name] = harness.errorTable ?? [];
      await harness.close();
    }
    return errorPage({ ...tables, slurm: slurmErrorTable, kubernetes: kubernetesErrorTable });
  },
};

// `UPDATE_PAGES=1 npm test` writes them.
describe("the generated pages are as the code is", () => {
  test.each(Object.entries(PAGES))("%s", { timeout: 120_000 }, async (name, make) => {
    const path = fileURLToPath(new URL(`../../docs/reference/${name}`, import.meta.url));
    const page = await make();
    if (process.env["UPDATE_PAGES"] === "1") {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, page);
    }
    expect(await readFile(path, "utf8")).toBe(page);
  });
});
