import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { canListenAsShown } from "../../src/emulator/machine-sshd.ts";

// Of the loopback, and of no block that machines have.
const ADDRESS = "127.63.255.254";

// Nobody but the host's root can listen as shown anyway.
test.skipIf(process.getuid?.() !== 0)("a port that a server of the host has everywhere is not free", async () => {
  const server = createServer().listen(0, "0.0.0.0");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await canListenAsShown(ADDRESS, port)).toBe(false);
});
