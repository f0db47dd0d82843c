import { readFileSync } from "node:fs";
import { describeRegistry } from "@slipway/contract-tests/vitest";
import { ProviderRegistry } from "@slipway/core";
import { expect, test } from "vitest";
import { harnesses } from "./harnesses.ts";
import { registrations } from "./registrations.ts";

// Each package runs the suite over this very harness in its own tests, so here it is only seen that it does.
// `npm run soak:tests` runs it once more over what is released together: SLIPWAY_WHOLE_SUITE=1.
const modes = process.env["SLIPWAY_WHOLE_SUITE"] === "1" ? undefined : [];

describeRegistry(new ProviderRegistry(await registrations()), harnesses, { modes });

const FILES: Readonly<Record<string, string>> = { memory: "contract-tests/test/memory.test.ts" };

test.each(Object.keys(harnesses))("%s runs the whole suite over this harness in its own tests", (name) => {
  const file = FILES[name] ?? `provider-${name}/test/contract.test.ts`;
  const harness = `${name.replace(/-./g, (part) => part.slice(1).toUpperCase())}Harness`;
  const text = readFileSync(new URL(`../../packages/${file}`, import.meta.url), "utf8");
  // Made by the function that is called here, and without options: in both modes, and with no case skipped.
  const made = new RegExp(`const (\\w+) = ${harness}\\(\\)`).exec(text)?.[1] ?? "none";
  expect(text).toMatch(new RegExp(`describeProviderContract\\([^,]+, (${harness}\\(\\w*(\\.\\w+)?\\)|${made})\\);`));
});
