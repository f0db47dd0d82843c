import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLightUserData } from "../../src/emulator/light-user-data.ts";

describe("user data as a light machine reads it", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-light-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("writes files, whatever is in them, and runs commands as words or as shell text", async () => {
    const file = join(directory, "it's", "a file");
    const config = {
      ssh_authorized_keys: ["ssh-ed25519 AAAA one"],
      write_files: [
        { path: file, permissions: "0640", content: "$HOME `id`\nEOF\n" },
        { path: join(directory, "bytes"), encoding: "b64", content: Buffer.from([0, 255]).toString("base64") },
      ],
      runcmd: [["cp", file, join(directory, "copy")], `echo $((1 + 1)) >'${directory}/sum'`],
    };
    const { script, sshKeys } = await readLightUserData(`#cloud-config\n${JSON.stringify(config)}`);
    expect(sshKeys).toEqual(["ssh-ed25519 AAAA one"]);
    expect(spawnSync("/bin/sh", { input: script }).stderr.toString()).toBe("");
    expect(await readFile(join(directory, "copy"), "utf8")).toBe("$HOME `id`\nEOF\n");
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect([...(await readFile(join(directory, "bytes")))]).toEqual([0, 255]);
    expect(await readFile(join(directory, "sum"), "utf8")).toBe("2\n");
  });

  it("runs a script by its own interpreter", async () => {
    const { script } = await readLightUserData("#!/bin/bash\necho it");
    expect(script).toMatch(/base64 -d >'\/var\/lib\/cloud\/user-script'[^]*\n'\/var\/lib\/cloud\/user-script'\n$/);
  });

  it("reads YAML, and nothing at all", async () => {
    expect(await readLightUserData("#cloud-config\nruncmd:\n  - [echo, 1]\n")).toEqual({
      script: "'echo' '1'\n",
      sshKeys: [],
    });
    expect(await readLightUserData("")).toEqual({ script: ":\n", sshKeys: [] });
  });

  it.each([
    ["Content-Type: multipart/mixed", "neither a script nor a cloud-config"],
    ["#cloud-config\n- a list\n", "not a mapping"],
    ["#cloud-config\npackages: [jq]\n", "packages"],
    ["#cloud-config\nwrite_files: [{path: /a, append: true}]\n", "does not do"],
    ["#cloud-config\nwrite_files: [{path: /a, encoding: gz}]\n", "gz"],
    ["#cloud-config\nruncmd: [[{}]]\n", "a text belongs"],
  ])("refuses what it would have to leave out: %j", async (text, message) => {
    await expect(readLightUserData(text)).rejects.toThrow(message);
  });
});
