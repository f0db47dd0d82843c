import { once } from "node:events";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { freePort, freePorts } from "../../src/emulator/free-ports.ts";

test("free ports are different ones that a server can take, and none that a connection is given", async () => {
  const ports = await freePorts(50);
  expect(new Set(ports).size).toBe(50);
  // 32768 is where Linux begins, 49152 macOS and Windows.
  expect(Math.max(...ports)).toBeLessThan(32_768);
  const servers = ports.map((port) => createServer().listen(port, "127.0.0.1"));
  onTestFinished(() => {
    for (const server of servers) server.close();
  });
  await Promise.all(servers.map((server) => once(server, "listening")));
  expect(ports).not.toContain(await freePort());
});
