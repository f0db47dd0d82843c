import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { ContainerEmulator } from "../emulator/index.ts";

function directoryOf(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `slipway-${name}-`));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

// Between two starts a program inside can have made a link of anything.
describe.each(["none", "auto"])("a link in a container that starts, with SLIPWAY_SANDBOX=%s", (setting) => {
  async function emulatorIn(directory: string): Promise<ContainerEmulator["container"]> {
    vi.stubEnv("SLIPWAY_SANDBOX", setting);
    onTestFinished(() => void vi.unstubAllEnvs());
    // Which isolation there is gets looked up once.
    vi.resetModules();
    const { containerEmulator } = await import("../emulator/index.ts");
    const { container, close } = containerEmulator({ directory });
    onTestFinished(close);
    return container;
  }

  test("leads no volume out of it", async () => {
    const [directory, host] = [directoryOf("container"), directoryOf("host")];
    const container = await emulatorIn(directory);
    await container(["volume", "create", "data"]);
    await container(["create", "--name", "aa", "--volume", "data:/srv/one/deep/data", "alpine", "sleep", "99"]);
    const link = join(directory, "containers/aa/root/srv/one");
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(host, link);
    expect(await container(["start", "aa"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Error: failed to bootstrap container .*\/srv\/one in the root is no directory/),
    });
    expect(readdirSync(host)).toEqual([]);
    rmSync(link);
    expect(await container(["start", "aa"])).toMatchObject({ code: 0 });
  });

  test("leads no file of a node image out of it", async () => {
    const [directory, host] = [directoryOf("container"), directoryOf("host")];
    const container = await emulatorIn(directory);
    const root = join(directory, "containers/aa/root");
    await container(["create", "--name", "aa", "kindest/node:v1.34.0"]);
    mkdirSync(root, { recursive: true });
    symlinkSync(host, join(root, "opt"));
    expect(await container(["start", "aa"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Error: failed to bootstrap container .*\/opt in the root is no directory/),
    });
    expect(readdirSync(host)).toEqual([]);
    rmSync(join(root, "opt"));
    mkdirSync(join(root, "kind"));
    writeFileSync(join(host, "file"), "of the host");
    symlinkSync(join(host, "file"), join(root, "kind/version"));
    expect(await container(["start", "aa"])).toMatchObject({ code: 0 });
    expect(readFileSync(join(host, "file"), "utf8")).toBe("of the host");
    expect(readFileSync(join(root, "kind/version"), "utf8")).toBe("v1.34.0\n");
  });
});
