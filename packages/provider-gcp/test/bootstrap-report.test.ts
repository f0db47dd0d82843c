import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BOOTSTRAP_DIRECTORY } from "@slipway/provider-kit/bootstrap";
import { expect, test } from "vitest";
import { failure, type GcpWorld, gcpWorld } from "./world.ts";

const WHERE = "slipway/bootstrap";
const bootstrap = { script: "exit 0" };

const sentinel = (...lines: readonly string[]): string => ["slipway-bootstrap 1", ...lines, ""].join("\n");

test("a bootstrap is what its instance reports: nothing, then its end with the last lines", async () => {
  const { provider, emulator } = gcpWorld();
  const { id, nativeId } = await provider.spawn({ key: "job", bootstrap });
  expect(await provider.readBootstrap(id)).toEqual({ state: "unknown" });
  emulator.control.writeGuestAttribute(nativeId, WHERE, sentinel("state=running"));
  expect(await provider.readBootstrap(id)).toEqual({ state: "running" });
  const log = "first\n\n\u001b[2Jno such file\n";
  emulator.control.writeGuestAttribute(nativeId, WHERE, `${sentinel("state=exited", "exitCode=7")}\n${log}`);
  const told = { state: "failed", exitCode: 7, lastLines: ["first", " [2Jno such file"] };
  expect(await provider.readBootstrap(id)).toEqual(told);
  emulator.control.writeGuestAttribute(nativeId, WHERE, "made up");
  expect(await provider.readBootstrap(id)).toEqual({ state: "unknown" });
});

test("null without a bootstrap, and for a copy, whose disk holds the end of its source's; nothing is asked then", async () => {
  const { provider, emulator, sent } = gcpWorld();
  const { id } = await provider.spawn({ key: "source" });
  const snapshot = await provider.createSnapshot(id, { key: "copy" });
  await emulator.clock.sleep(60_000);
  const copy = await provider.spawn({ key: "copied", fromSnapshot: snapshot.id, bootstrap });
  expect([await provider.readBootstrap(id), await provider.readBootstrap(copy.id)]).toEqual([null, null]);
  expect(emulator.control.writeGuestAttribute(copy.nativeId, WHERE, "x")).toBe(false);
  expect(sent.filter(({ path: of }) => of.endsWith("getGuestAttributes"))).toEqual([]);
  const gone = await failure(provider.readBootstrap(id.replace(/\d+$/, "123")));
  expect({ code: gone.code, effect: gone.effect }).toEqual({ code: "NOT_FOUND", effect: "none" });
});

test.each([
  { state: "succeeded", code: 0, lines: [] },
  { state: "failed", code: 3, lines: ["it broke"] },
])("the script in the metadata reports a bootstrap that has $state, and then ends", async ({ state, code, lines }) => {
  const world = gcpWorld();
  const { id, nativeId } = await world.provider.spawn({ key: "job", bootstrap });
  const report = await reported(world, code);
  world.emulator.control.writeGuestAttribute(nativeId, WHERE, report);
  const told = await world.provider.readBootstrap(id);
  expect(told).toEqual({ state, exitCode: code, ...(lines.length === 0 ? {} : { lastLines: lines }) });
});

/** Runs what the insert sent, as a guest agent does, with a `curl` that keeps what it is given. */
async function reported({ sent }: GcpWorld, code: number): Promise<string> {
  const insert = sent.find(({ method, path: of }) => method === "POST" && of.endsWith("/instances"));
  const { items } = (insert?.body["metadata"] ?? { items: [] }) as {
    items: readonly { readonly key: string; readonly value: string }[];
  };
  const script = items.find(({ key }) => key === "startup-script")?.value ?? "";
  const folder = await mkdtemp(path.join(tmpdir(), "slipway-report-"));
  try {
    const curl = `#!/bin/sh\nprintf '%s\\n' "$*" > ${folder}/arguments\ncat > ${folder}/told\n`;
    await writeFile(`${folder}/curl`, curl);
    await chmod(`${folder}/curl`, 0o755);
    await writeFile(`${folder}/sentinel`, sentinel("state=exited", "checksum=unknown", `exitCode=${code}`));
    await writeFile(`${folder}/output.log`, "it broke\n");
    // In the foreground, so that its end can be waited for.
    const here = script.replaceAll(BOOTSTRAP_DIRECTORY, folder).replace(/&\n$/, "\n");
    const env = { PATH: `${folder}:${process.env["PATH"]}` };
    const shell = spawn("/bin/sh", ["-c", here], { env, stdio: "ignore", timeout: 20_000 });
    expect(await once(shell, "exit")).toEqual([0, null]);
    expect(await readFile(`${folder}/arguments`, "utf8")).toContain(
      "-X PUT -H Metadata-Flavor: Google --data-binary @- http://metadata.google.internal/computeMetadata/v1/instance/guest-attributes/slipway/bootstrap",
    );
    return await readFile(`${folder}/told`, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
