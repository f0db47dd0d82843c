import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  detectIsolation,
  endSandbox,
  type IsolationReport,
  type Sandbox,
  type SandboxSpec,
  startSandbox,
} from "../../src/sandbox/index.ts";

/** Every isolation that this machine has, with a name for the test's title. */
export const isolations: readonly IsolationReport[] = await (async () => {
  const best = await detectIsolation({ variables: { ...process.env, SLIPWAY_SANDBOX: "auto" } });
  const least = await detectIsolation({ variables: { SLIPWAY_SANDBOX: "none" } });
  return best.isolation === "bubblewrap" ? [best, least] : [least];
})();

/** Why the tests that need bubblewrap cannot run here; null if they can. */
export const withoutBubblewrap: string | null = isolations[0]?.reason ?? null;

let made = 0;

/** A directory that goes away after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "slipway-sandbox-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A sandbox that ends with the test. */
export async function started(isolation: IsolationReport, spec: Partial<SandboxSpec> = {}): Promise<Sandbox> {
  const directory = spec.directory ?? scratch();
  const id = spec.id ?? `test-${process.pid}-${++made}`;
  onTestFinished(() => endSandbox({ id, directory }));
  return await startSandbox({ id, directory, isolation, argv: ["sleep", "1000"], ...spec });
}
