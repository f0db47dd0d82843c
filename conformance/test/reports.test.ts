import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  allEntries,
  bootstrapReports,
  launch,
  memoryStore,
  nodeListener,
  terminateAndConfirm,
  waitForBootstrap,
} from "@slipway/control";
import { systemClock } from "@slipway/core";
import { machinesMissing, openMachines } from "@slipway/provider-kit/emulator";
import { describe, expect, onTestFinished, test } from "vitest";
import { PLACES } from "./jobs/clouds.ts";

const SECRET = "a secret that only this test knows, of 32 and more";
const missing = await machinesMissing("light");
const ESCAPE = "\\033";

/** A server as a user would start it, with the reports mounted. */
async function control() {
  const store = memoryStore();
  const reports = bootstrapReports({ secret: SECRET, store });
  const server = createServer(nodeListener(reports.handle));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { store, reports, controlPlaneUrl: `http://127.0.0.1:${port}/reports` };
}

async function place(name: string) {
  const directory = mkdtempSync(join(tmpdir(), "slipway-reports-"));
  const machines = await openMachines("light");
  if (machines === null) throw new Error("there are no machines");
  const { provider, machine, close } = PLACES[name]?.(machines, directory, false) ?? {};
  if (provider === undefined || machine === undefined) throw new Error(`${name} is no place`);
  onTestFinished(async () => {
    await close?.();
    await machines.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { provider, machine };
}

describe.skipIf(missing !== null)("machines that really run report to a server that really listens", () => {
  test.each(["local", "aws", "lambda"])("%s", async (name) => {
    const { store, reports, controlPlaneUrl } = await control();
    const { provider, machine } = await place(name);
    const script = `echo first; printf '${ESCAPE}[2J${ESCAPE}[31mno such disk\\n' >&2; exit 42`;
    const bootstrap = { script, controlPlaneUrl, report: true } as const;
    const access = name === "lambda" ? { sshKeys: [`ssh-ed25519 ${"A".repeat(68)}`] } : {};
    const { id } = await launch(provider, { ...machine, ...access, key: `${name}-1`, bootstrap }, { store, reports });
    const error: unknown = await waitForBootstrap(provider, id, { from: reports, timeoutMs: 60_000 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "INVALID_STATE", message: expect.stringContaining("exit code 42") });
    // Where the provider itself knew it, the report may come later.
    for (let left = 100; (await reports.readBootstrap(id))?.state !== "failed" && left > 0; left -= 1) {
      await systemClock.sleep(100);
    }
    expect(await reports.readBootstrap(id)).toEqual({
      state: "failed",
      exitCode: 42,
      // On this machine the log is the machine's own output.
      ...(name === "local" ? {} : { lastLines: ["first", "no such disk"] }),
    });
    expect(await allEntries(store, { kind: "report" })).toHaveLength(1);
    // It goes with its launch.
    await terminateAndConfirm(provider, id, { store });
    expect(await allEntries(store, { kind: "report" })).toEqual([]);
  });

  test("one that lies with its own token changes nothing of another", async () => {
    const { store, reports, controlPlaneUrl } = await control();
    const { provider, machine } = await place("aws");
    const launched = async (key: string, script: string): Promise<string> => {
      const bootstrap = { script, controlPlaneUrl, report: true } as const;
      return (await launch(provider, { ...machine, key, bootstrap }, { store, reports })).id;
    };
    const honest = await launched("honest", "echo honest; exit 3");
    await waitForBootstrap(provider, honest, { from: reports, timeoutMs: 60_000 }).catch(() => undefined);
    const before = await allEntries(store, { kind: "launch" });
    // It sends what it wants with every token that it finds on its disk, and then a text without an end.
    const liar = await launched(
      "liar",
      [
        "token=$(sed -n '/slipway_take/,/^__/p' /var/lib/slipway/bootstrap/bootstrap.sh | tr -d '\\n' | sed 's/.*<<.__.//; s/__$//' | base64 -d)",
        `send() { curl -s -o /dev/null -w '%{http_code} ' -H "Authorization: Bearer $token" --data-binary @- "$SLIPWAY_CONTROL_PLANE_URL"; }`,
        "printf 'event=exited\\nseq=9999999999\\nexitCode=0\\nkey=honest\\n\\n' | send",
        "printf 'event=adopt\\nseq=99999999999\\n\\n' | send",
        "head -c 3000000 /dev/zero | send",
        "exit 9",
      ].join("\n"),
    );
    for (let left = 100; (await reports.readBootstrap(liar))?.state !== "succeeded" && left > 0; left -= 1) {
      await systemClock.sleep(100);
    }
    expect(await reports.readBootstrap(liar)).toMatchObject({ state: "succeeded", exitCode: 0 });
    expect(await reports.readBootstrap(honest)).toMatchObject({ state: "failed", exitCode: 3, lastLines: ["honest"] });
    const after = await allEntries(store, { kind: "launch" });
    expect(after.filter(({ id }) => before.some((one) => one.id === id))).toEqual(before);
    expect((await provider.get(honest))?.status).toBe("running");
  });
});
