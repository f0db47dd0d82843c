import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
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
    const { firstStart, sshKeys } = await readLightUserData(`#cloud-config\n${JSON.stringify(config)}`);
    expect(sshKeys).toEqual(["ssh-ed25519 AAAA one"]);
    expect(spawnSync("/bin/sh", { input: firstStart }).stderr.toString()).toBe("");
    expect(await readFile(join(directory, "copy"), "utf8")).toBe("$HOME `id`\nEOF\n");
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect([...(await readFile(join(directory, "bytes")))]).toEqual([0, 255]);
    expect(await readFile(join(directory, "sum"), "utf8")).toBe("2\n");
  });

  it("runs a script by its own interpreter", async () => {
    const { firstStart } = await readLightUserData("#!/bin/bash\necho it");
    expect(firstStart).toMatch(/>'\/var\/lib\/cloud\/user-script-1'[^]*\n'\/var\/lib\/cloud\/user-script-1'\n$/);
  });

  it("runs a boothook at every start, alone or beside others, and before all else", async () => {
    const hook = "#!/bin/sh\necho hook";
    const alone = await readLightUserData(`#cloud-boothook\n${hook}\n`);
    expect(alone.firstStart).toBe("");
    expect(alone.everyStart).toContain(Buffer.from(`${hook}\n`).toString("base64"));
    const part = (type: string, text: string): string => `--b\nContent-Type: text/${type}\n\n${text}\n`;
    const config = '#cloud-config\nbootcmd: ["echo boot"]';
    const both = `${part("cloud-config", config)}${part("cloud-boothook", hook)}${part("x-shellscript", "#!/bin/sh")}`;
    const read = await readLightUserData(`Content-Type: multipart/mixed; boundary="b"\n\n${both}--b--\n`);
    expect(read.everyStart).toMatch(/boothook-1'\n\(\necho boot\n\)\n$/);
    expect(read.firstStart).toMatch(/user-script-1'\n$/);
  });

  it("reads YAML, and nothing at all", async () => {
    expect(await readLightUserData("#cloud-config\nruncmd:\n  - [echo, 1]\n")).toEqual({
      everyStart: "",
      firstStart: "(\n'echo' '1'\n)\n",
      sshKeys: [],
    });
    expect(await readLightUserData("")).toEqual({ everyStart: "", firstStart: "", sshKeys: [] });
  });

  it("joins the parts of a message, also a compressed one, in cloud-init's order", async () => {
    const out = join(directory, "order");
    const config = (name: string): string =>
      `#cloud-config\n${JSON.stringify({
        ssh_authorized_keys: [name],
        bootcmd: [`echo boot ${name} >>'${out}'`],
        write_files: [{ path: out, append: true, content: `write ${name}\n` }],
        runcmd: [`echo run ${name} >>'${out}'`],
      })}`;
    const packed = gzipSync(mime(["text/cloud-config", config("a")], ["text/cloud-config", config("b")]));
    const { everyStart, firstStart, sshKeys } = await readLightUserData(packed);
    expect(sshKeys).toEqual(["a", "b"]);
    expect(spawnSync("/bin/sh", { input: everyStart + firstStart }).stderr.toString()).toBe("");
    const lines = ["boot a", "boot b", "write a", "write b", "run a", "run b"];
    expect(await readFile(out, "utf8")).toBe(`${lines.join("\n")}\n`);
  });

  it("goes on after a list whose command exits", async () => {
    const text = mime(["text/cloud-config", "#cloud-config\nruncmd: [exit 3, echo no]"], ["text/plain", "#!/bin/sh\n"]);
    const { firstStart } = await readLightUserData(text);
    expect(
      spawnSync("/bin/sh", { input: `${firstStart.slice(firstStart.lastIndexOf("(\n"))}echo on` }).stdout.toString(),
    ).toBe("on\n");
  });

  it("takes the later of two lists where nothing is said of them", async () => {
    const config = (name: string): string => `#cloud-config\nruncmd: [[echo, ${name}]]\n`;
    const text = mime(["text/cloud-config", config("a")], ["text/cloud-config", config("b")]).replaceAll(
      JOINED,
      "X: y",
    );
    expect((await readLightUserData(text)).firstStart).toBe("(\n'echo' 'b'\n)\n");
    const kept = mime(["text/cloud-config", config("a")], ["text/cloud-config", "#cloud-config\nbootcmd: [b]\n"]);
    expect((await readLightUserData(kept.replaceAll(JOINED, "X: y"))).firstStart).toBe("(\n'echo' 'a'\n)\n");
    const other = mime(["text/cloud-config", config("a")]).replace("list(append)", "list(prepend)");
    await expect(readLightUserData(other)).rejects.toThrow("list(prepend)");
  });

  it("reads numbers as cloud-init's YAML does, and writes deferred files last", async () => {
    const files = [
      `{path: ${join(directory, "late")}, defer: yes, content: late}`,
      `{path: ${join(directory, "soon")}, permissions: 0600, content: soon}`,
    ];
    const { firstStart } = await readLightUserData(`#cloud-config\nwrite_files: [${files.join(", ")}]\n`);
    expect(firstStart.indexOf("late")).toBeGreaterThan(firstStart.indexOf("soon"));
    expect(spawnSync("/bin/sh", { input: firstStart }).stderr.toString()).toBe("");
    expect((await stat(join(directory, "soon"))).mode & 0o777).toBe(0o600);
  });

  it("reads a script with the line ends of Windows", async () => {
    const { firstStart } = await readLightUserData("#!/bin/sh\r\necho it\r\n");
    expect(firstStart).toContain(Buffer.from("#!/bin/sh\necho it\n").toString("base64"));
  });

  it.each([
    ["Content-Type: multipart/mixed", "neither a script nor a cloud-config"],
    [mime(["text/jinja2", "x"]), "text/jinja2"],
    ["#include\nhttps://example.com/more\n", "neither a script nor a cloud-config"],
    ["## template: jinja\n#cloud-config\n{}\n", "neither a script nor a cloud-config"],
    ["#cloud-config\nusers: [default, {name: eve}]\n", "users"],
    ["#cloud-config\nmerge_how: list(append)\n", "merge_how"],
    ["#cloud-config\n- a list\n", "not a mapping"],
    ["#cloud-config\npackages: [jq]\n", "packages"],
    ["#cloud-config\nwrite_files: [{path: /a, source: {uri: x}}]\n", "does not do"],
    ["#cloud-config\nwrite_files: [{path: /a, encoding: gz}]\n", "gz"],
    ["#cloud-config\nruncmd: [[{}]]\n", "a text belongs"],
  ])("refuses what it would have to leave out: %j", async (text, message) => {
    await expect(readLightUserData(text)).rejects.toThrow(message);
  });
});

const JOINED = "X-Merge-Type: list(append)+dict(no_replace,recurse_list)+str()";

function mime(...parts: readonly (readonly [string, string])[]): string {
  const body = parts.map(
    ([type, text]) =>
      `--b-1\nContent-Type: ${type}; charset="utf-8"\n${JOINED}\nContent-Transfer-Encoding: base64\n\n${Buffer.from(text).toString("base64")}\n`,
  );
  return `Content-Type: multipart/mixed; boundary="b-1"\nMIME-Version: 1.0\n\n${body.join("")}--b-1--\n`;
}
