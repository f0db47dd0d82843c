import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { machinesMissing, type OpenMachines, openMachines } from "../../src/emulator/index.ts";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

describe.skipIf(missing !== null)(
  "a light machine",
  () => {
    let directory: string;
    let machines: OpenMachines;
    let publicKey: string;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "slipway-light-"));
      const made = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")]);
      if (made.status !== 0) throw new Error(made.stderr.toString());
      publicKey = (await readFile(join(directory, "key.pub"), "utf8")).trim();
      const open = await openMachines("light");
      if (open === null) throw new Error("no machines");
      machines = open;
    });
    afterAll(async () => {
      await machines.close();
      await rm(directory, { recursive: true, force: true });
    });

    /** Asynchronous: this process also reads what the sshds say. */
    function ssh(address: string, command: string, logIn?: string): Promise<{ code: number | null; stdout: string }> {
      const { port, user } = machines.endpoint({ host: address, port: 22, user: "ubuntu" }) ?? {
        port: 22,
        user: "none",
      };
      const own = ["-F", "none", "-i", join(directory, "key"), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"];
      const host = ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"];
      const child = spawn("ssh", [...own, ...host, "-p", String(port), "-l", logIn ?? user, "--", address, command], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let stdout = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        stdout += chunk;
      });
      return new Promise((resolve) => void child.once("close", (code) => resolve({ code, stdout })));
    }

    /** Its start script runs beside this. */
    const says = (id: string, text: string): Promise<void> =>
      expect.poll(() => machines.console(id), { timeout: 60_000 }).toBe(text);

    const userData =
      "#cloud-config\nbootcmd: [echo booted $(cat /count 2>/dev/null)]\nruncmd: ['echo first >>/count']\n";

    it("runs its user data, shows what it printed, and keeps its disk over a stop and a reboot", async () => {
      const address = machines.newAddress();
      await machines.create({ id: "m-1", address, userData, sshKeys: [publicKey] });
      await says("m-1", "booted\n");
      const code = "while [ ! -e /count ]; do sleep 0.05; done; cat /count; id -u; exit 7";
      expect(await ssh(address, code)).toEqual({ code: 7, stdout: "first\n0\n" });

      await machines.stop("m-1");
      expect(machines.endpoint({ host: address, port: 22, user: "ubuntu" })).toBeUndefined();
      await machines.start("m-1");
      await says("m-1", "booted\nbooted first\n");
      await machines.reboot("m-1");
      await says("m-1", "booted\nbooted first\nbooted first\n");
      expect(await ssh(address, "cat /count")).toEqual({ code: 0, stdout: "first\n" });

      await machines.end("m-1");
      expect(machines.console("m-1")).toBe("");
      expect(await machines.start("m-1")).toBeUndefined();
    });

    it("keeps the order of what is asked, and leaves nothing of one that cannot start", async () => {
      const first = machines.newAddress();
      const made = machines.create({ id: "m-2", address: first, userData: "", sshKeys: [] });
      await machines.end("m-2");
      await made;
      expect(machines.endpoint({ host: first, port: 22, user: "ubuntu" })).toBeUndefined();
      const broken = machines.create({
        id: "m-3",
        address: machines.newAddress(),
        userData: "no user data",
        sshKeys: [],
      });
      await expect(broken).rejects.toThrow("neither a script nor a cloud-config");
      expect(await machines.reboot("m-3")).toBeUndefined();
    });

    it("is another one than that of the same id behind another emulator of this host", async () => {
      const others = await openMachines("light");
      if (others === null) throw new Error("no machines");
      try {
        const address = machines.newAddress();
        await machines.create({ id: "m-5", address, userData: "", sshKeys: [publicKey] });
        await others.create({ id: "m-5", address: others.newAddress(), userData: "", sshKeys: [] });
        await others.end("m-5");
        expect(await ssh(address, "id -u")).toEqual({ code: 0, stdout: "0\n" });
      } finally {
        await others.close();
      }
    });

    it.skipIf(process.getuid?.() !== 0)(
      "takes the log-in names of cloud images where the remote shows it",
      async () => {
        const address = machines.newAddress();
        await machines.create({ id: "m-4", address, userData: "", sshKeys: [publicKey] });
        expect(machines.endpoint({ host: address, port: 22, user: "ubuntu" })?.port).toBe(22);
        for (const name of ["ubuntu", "ec2-user"]) {
          expect(await ssh(address, "id -u", name)).toEqual({ code: 0, stdout: "0\n" });
        }
        expect(existsSync("/var/lib/cloud/light-started")).toBe(false);
      },
    );

    it("is not made where the machines are closed, or are being closed", async () => {
      const others = await openMachines("light");
      if (others === null) throw new Error("no machines");
      const create = (id: string): Promise<void> =>
        others.create({ id, address: others.newAddress(), userData: "", sshKeys: [] });
      const [during, closed] = [create("m-6"), others.close()];
      await expect(during).rejects.toThrow("closed");
      await closed;
      await expect(create("m-7")).rejects.toThrow("closed");
    });
  },
  120_000,
);
