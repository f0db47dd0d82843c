import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { afterAll, expect, test } from "vitest";
import { EMULATOR_PROJECT, EMULATOR_TOKEN, gcpEmulator, serve } from "../../emulator/index.ts";
import { gcp } from "../../src/index.ts";
import { gcpHarness, PROJECT, TOKEN, UNKNOWN_STATUS } from "../gcp-harness.ts";
import { judged } from "./judge.ts";
import { recording } from "./recording.ts";

test("Google's two clients and Apache Libcloud work with the emulator", async () => {
  const server = await serve({ speed: 20 });
  try {
    const url = server.baseUrl.replace(/\/compute\/v1\/$/, "");
    const { calls, failures } = await judged("clients", url, EMULATOR_TOKEN, EMULATOR_PROJECT);
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(19);
  } finally {
    await server.close();
  }
});

test("the document's judge finds what is wrong", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "slipway-judge-"));
  try {
    const line = {
      method: "POST",
      path: "projects/p/zones/us-central1-a/instances",
      query: { returnPartialSuccess: "true" },
      version: "2026-09-01",
      request: { name: "Upper", unheardOf: 1, disks: [{ initializeParams: { diskSizeGb: 10 } }] },
      status: 200,
      response: { status: "FINISHED" },
    };
    await writeFile(path.join(folder, "wrong.jsonl"), JSON.stringify(line));
    const { failures } = await judged("validate", path.join(folder, "wrong.jsonl"));
    const found = failures.join("\n");
    for (const word of ["returnPartialSuccess", "2026-09-01", "Upper", "unheardOf", "diskSizeGb", "FINISHED"]) {
      expect(found).toContain(word);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

// The whole suite; what went over the wire in it is judged afterwards.
const exchanges = await recording();
describeProviderContract("gcp", gcpHarness({}, exchanges.wire));
describeProviderContract("gcp in one zone", gcpHarness({ zones: ["us-central1-b"] }, exchanges.wire));

afterAll(exchanges.close);

// The suite runs no bootstraps: what a guest has written is read here.
test("a report of a bootstrap is recorded as well", async () => {
  const emulator = gcpEmulator({ tokens: [TOKEN], project: PROJECT });
  const runtime = { clock: emulator.clock, fetch: exchanges.wire(emulator) };
  const provider = gcp({ project: PROJECT, owner: "judge", token: TOKEN, runtime });
  const { id, nativeId } = await provider.spawn({ key: "job", bootstrap: { script: "exit 0" } });
  emulator.control.writeGuestAttribute(nativeId, "slipway/bootstrap", "slipway-bootstrap 1\nstate=running\n");
  expect(await provider.readBootstrap(id)).toEqual({ state: "running" });
});

test("every exchange of the suite is valid for Google's document", async () => {
  const { all, kept } = exchanges.counts();
  process.stdout.write(`${all} exchanges recorded, ${kept} of them different\n`);
  const { calls, failures } = await judged("validate", await exchanges.written());
  const invented = `'${UNKNOWN_STATUS}' is not one of`;
  expect(failures.filter((failure) => !failure.includes(invented))).toEqual([]);
  expect(calls).toBeGreaterThan(1_000);
});
