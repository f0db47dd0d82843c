import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** Addresses of the loopback that no other emulator of this machine uses. */
export interface MachineAddresses {
  readonly next: () => string;
  readonly release: () => void;
}

const FIRST_BLOCK = 64;
const BLOCKS = 62;
const EACH = 250;
// Whoever listens there has the block. The kernel frees it when its process ends, however that comes.
const CLAIM_PORT = 61_022;

/** Claims a free block 127.X.0.0/16. Where the loopback has one address alone, as on macOS, this throws. */
export async function claimAddresses(): Promise<MachineAddresses> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let offset = 0; offset < BLOCKS; offset += 1) {
    const block = FIRST_BLOCK + ((start + offset) % BLOCKS);
    const claim = await tryClaim(`127.${block}.255.254`);
    if (claim === null) continue;
    let made = 0;
    return {
      next: () => {
        made += 1;
        return `127.${block}.${Math.floor(made / EACH) % EACH}.${1 + (made % EACH)}`;
      },
      release: () => void claim.close(),
    };
  }
  throw new Error("every block of addresses for emulated machines is taken");
}

async function tryClaim(address: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy()).listen(CLAIM_PORT, address);
  try {
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return null;
    throw error;
  }
  server.unref();
  return server;
}
