import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "@slipway/provider-kit/command";
import { machinesMissing, type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { SshSession } from "../src/session.ts";
import { openSshSession } from "../src/ssh-session.ts";

// No sshd is found here.
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return { ...fs, existsSync: (path: string) => path !== "/usr/sbin/sshd" && fs.existsSync(path) };
});

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

describe.skipIf(missing !== null)("a session with a machine where no sshd is found", () => {
  let directory: string;
  let machines: OpenMachines;
  let identityFile: string;
  let publicKey: string;
  let address: string;
  let session: SshSession;
  const open = async (): Promise<SshSession> => {
    const endpoint = machines.endpoint({ host: address, port: 22, user: "ubuntu" });
    if (endpoint === undefined) throw new Error("no endpoint");
    return await openSshSession("cloud", "m-1", endpoint, { identityFile });
  };
  /** Not the port, which is another one after a start. */
  const scanHostKey = async (): Promise<string> => {
    const port = machines.endpoint({ host: address, port: 22, user: "ubuntu" })?.port ?? 0;
    const { stdout } = await runCommand("ssh-keyscan", ["-t", "ed25519", "-p", String(port), address]);
    return stdout.slice(stdout.indexOf(" "));
  };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-ssh2-"));
    identityFile = join(directory, "key");
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
    publicKey = (await readFile(`${identityFile}.pub`, "utf8")).trim();
    const opened = await openMachines("light");
    if (opened === null) throw new Error("no machines");
    machines = opened;
    address = machines.newAddress();
    await machines.create({ id: "m-1", address, userData: "#!/bin/sh\necho ran >/ran\n", sshKeys: [publicKey] });
    session = await open();
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await machines.close();
    await rm(directory, { recursive: true });
  });

  it("is behind the server that the emulator's first line names", () => {
    expect(machines.description).toContain("the server of ssh2");
  });

  it.each([
    [0, "exit 0"],
    [3, "exit 3"],
    [255, "exit 255"],
    [137, "kill -9 $$"],
    [127, "no-such-program-here"],
  ])("gives exit code %i", async (code, script) => {
    expect((await session.exec(["/bin/sh", "-c", script])).exitCode).toBe(code);
  });

  it("parts stdout from stderr, and runs as root inside", async () => {
    const script = "while [ ! -e /ran ]; do sleep 0.05; done; cat /ran; id -u; echo err >&2";
    const result = await session.exec(["/bin/sh", "-c", script]);
    expect(result).toEqual({ exitCode: 0, stdout: "ran\n0\n", stderr: "err\n" });
  });

  it("loses no byte of 1 MB in either direction", async () => {
    const bytes = randomBytes(1024 * 1024);
    await mkdir(join(directory, "up"));
    await writeFile(join(directory, "up", "bytes"), bytes);
    await session.upload(join(directory, "up"), "/copied");
    await session.download("/copied", join(directory, "down"));
    expect((await readFile(join(directory, "down", "bytes"))).equals(bytes)).toBe(true);
  });

  it("loses no byte of stderr", async () => {
    const { stderr } = await session.exec(["/bin/sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x >&2"]);
    expect(stderr.length).toBe(3_000_000);
  });

  it("ends the process group inside when the call is aborted", async () => {
    const stop = new AbortController();
    const script = "sleep 300 & echo $! >/pid; echo up; wait";
    const running = session.exec(["/bin/sh", "-c", script], { signal: stop.signal, onStdout: () => stop.abort() });
    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
    const look = "! kill -0 $(cat /pid) 2>/dev/null || grep -q 'State:.*Z' /proc/$(cat /pid)/status";
    expect((await session.exec(["/bin/sh", "-c", look])).exitCode).toBe(0);
  });

  it("has eight commands at once over one connection", async () => {
    const codes = Array.from({ length: 8 }, (_, index) => index + 1);
    const results = await Promise.all(codes.map((code) => session.exec(["/bin/sh", "-c", `exit ${code}`])));
    expect(results.map(({ exitCode }) => exitCode)).toEqual(codes);
  });

  it("lets in no other key, and is the same server after a reboot", async () => {
    const other = join(directory, "other");
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other]);
    const shown = { host: address, port: 22, user: "ubuntu" };
    const endpoint = machines.endpoint(shown) ?? shown;
    const entering = (async () => {
      const entered = await openSshSession("cloud", "m-2", endpoint, { identityFile: other });
      await using _closed = entered;
      return await entered.exec(["true"]);
    })();
    await expect(entering).rejects.toMatchObject({ effect: "none" });
    const key = await scanHostKey();
    expect(key).toContain("ssh-ed25519");

    await session[Symbol.asyncDispose]();
    await machines.reboot("m-1");
    session = await open();
    expect((await session.exec(["cat", "/ran"])).stdout).toBe("ran\n");
    expect(await scanHostKey()).toBe(key);
  });
});
