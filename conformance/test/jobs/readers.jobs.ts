import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machinesMissing, type OpenMachines, openMachines } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll, describe, it, vi } from "vitest";
import { USER_DATA } from "./user-data.ts";

const missing = await machinesMissing("real");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

const SSH_MS = 120_000;
// Until its user data has run, whoever reads it; then every file of /srv with its mode, and the keys that let in.
const LOOK = [
  "while [ ! -e /var/lib/cloud/light-finished ] && [ ! -e /var/lib/cloud/instance/boot-finished ]; do sleep 0.1; done",
  "cd /srv",
  'find . -type f | LC_ALL=C sort | while read -r name; do echo "$name $(stat -c %a "$name")"; od -An -c "$name"; done',
].join("\n");

describe.skipIf(missing !== null)("our own reader of user data leaves what cloud-init leaves", () => {
  let directory: string;
  let publicKey: string;
  const kinds = new Map<string, OpenMachines>();
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-readers-"));
    const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")]);
    if (made.status !== 0) throw new Error(made.stderr.toString());
    publicKey = (await readFile(join(directory, "key.pub"), "utf8")).trim();
    for (const kind of ["light", "real"] as const) {
      const open = await openMachines(kind);
      if (open !== null) kinds.set(kind, open);
    }
  });
  afterAll(async () => {
    for (const open of kinds.values()) await open.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** What a person sees who logs in. */
  async function look(machines: OpenMachines, address: string): Promise<string> {
    const attempt = async (): Promise<string> => {
      const { host, port, user } = machines.endpoint({ host: address, port: 22, user: "ubuntu" }) ?? { host: address };
      const own = ["-F", "none", "-i", join(directory, "key"), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"];
      const known = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"];
      const at = ["-p", String(port ?? 22), "-l", user ?? "ubuntu", "--", host, LOOK];
      const { code, text } = await spawned("ssh", [...own, ...known, ...at]);
      if (code === 0) return text;
      throw new Error(`ssh ended with ${code}: ${text}`);
    };
    return await vi.waitFor(attempt, { timeout: SSH_MS, interval: 200 });
  }

  it.concurrent.for(Object.entries(USER_DATA))("%s", async ([name, userData], { expect }) => {
    const seen = async (kind: string): Promise<string> => {
      const machines = kinds.get(kind);
      if (machines === undefined) throw new Error(`there are no machines of the kind ${kind}`);
      const [id, address] = [`m-${Object.keys(USER_DATA).indexOf(name)}`, machines.newAddress()];
      // Where its user data has a key, that is the one that lets in.
      const sshKeys = name.includes("key") ? [] : [publicKey];
      await machines.create({ id, address, userData: userData(publicKey), sshKeys });
      const left = await look(machines, address);
      await machines.end(id);
      return left;
    };
    const [light, real] = await Promise.all([seen("light"), seen("real")]);
    expect(real).toContain("./");
    expect(light).toBe(real);
  });
});

async function spawned(file: string, args: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], timeout: SSH_MS });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, text };
}
