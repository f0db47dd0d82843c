import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { existsSync, lstatSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { AuthContext, Connection, ParsedKey, ServerChannel, Session, utils } from "ssh2";
import { canMakeTerminals, runOnTerminal, runPiped, type TerminalSize } from "./machine-ssh2-commands.ts";
import { enterScript, LOGIN_NAMES, SHOWN_PORT, type SshServer, type SshServerSpec } from "./machine-sshd.ts";

type Utils = typeof utils;

const KEY_FILE_BYTES = 65_536;

/**
 * Starts a server of the package ssh2 for a machine, in this process. As behind sshd every command is led into the sandbox,
 * and nothing is forwarded.
 */
export async function startSsh2({ directory, address, asShown, sandbox, keyFiles }: SshServerSpec): Promise<SshServer> {
  // Not above: the programs that bundle this file start no machine, and must not load ssh2 at every start.
  const { default: ssh2 } = await import("ssh2");
  const enter = join(directory, "enter");
  await writeFile(enter, await enterScript(sandbox), { mode: 0o700 });
  const user = userInfo().username;
  const names = asShown ? LOGIN_NAMES : [user];
  const terminals = await canMakeTerminals();
  const open = new Set<Connection>();
  const server = new ssh2.Server(
    { hostKeys: [await hostKey(ssh2.utils, join(directory, "host_key"))] },
    (connection) => {
      open.add(connection);
      connection.once("close", () => open.delete(connection));
      // Also what a client does wrong. It has then ended.
      connection.on("error", () => undefined);
      connection.on("authentication", (context) => void authenticate(ssh2.utils, context, names, keyFiles));
      connection.on("session", (accept) => serveSession(accept(), enter, terminals));
    },
  );
  server.listen(asShown ? SHOWN_PORT : 0, address);
  await once(server, "listening");
  server.unref();
  const at: AddressInfo | string | null = server.address();
  if (at === null || typeof at === "string") throw new Error("the server of ssh2 has no port");
  const halt = async (): Promise<null> => {
    server.close();
    for (const connection of open) connection.end();
    return null;
  };
  return { endpoint: { host: address, port: at.port, user }, halt };
}

/** The same at every start of the machine. */
async function hostKey(utils: Utils, path: string): Promise<string> {
  if (existsSync(path)) return await readFile(path, "utf8");
  const { private: made } = utils.generateKeyPairSync("ed25519");
  await writeFile(path, made, { mode: 0o600 });
  return made;
}

async function authenticate(
  utils: Utils,
  context: AuthContext,
  names: readonly string[],
  keyFiles: readonly string[],
): Promise<void> {
  if (context.method !== "publickey" || !names.includes(context.username)) return context.reject(["publickey"]);
  const { key: offered, blob, signature, hashAlgo } = context;
  const known = (await readKeys(utils, keyFiles)).find((key) => isSame(key.getPublicSSH(), offered.data));
  if (known === undefined) return context.reject(["publickey"]);
  // Without a signature the client only asks whether to sign.
  if (signature === undefined || blob === undefined) return context.accept();
  if (known.verify(blob, signature, hashAlgo) === true) return context.accept();
  context.reject(["publickey"]);
}

function isSame(known: Buffer, offered: Buffer): boolean {
  return known.length === offered.length && timingSafeEqual(known, offered);
}

/** A line with options is left out: it may lock its key in, and these are not understood here. */
async function readKeys(utils: Utils, files: readonly string[]): Promise<readonly ParsedKey[]> {
  const there = files.filter(isKeyFile);
  const texts = await Promise.all(there.map((file) => readFile(file, "utf8").catch(() => "")));
  const lines = texts.flatMap((text) => text.split("\n")).map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .flatMap((line) => {
      const key = utils.parseKey(line);
      return key instanceof Error ? [] : [key];
    });
}

/** The machine writes there: a link is not followed, and a pipe not waited for. */
function isKeyFile(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size <= KEY_FILE_BYTES;
}

function serveSession(session: Session, enter: string, terminals: boolean): void {
  let terminal: TerminalSize | undefined;
  let resize: ((size: TerminalSize) => void) | undefined;
  session.on("pty", (accept, reject, { rows, cols }) => {
    // There is nothing to call where the client asks for no answer.
    if (!terminals) return (reject as typeof reject | undefined)?.();
    terminal = { rows, cols };
    (accept as typeof accept | undefined)?.();
  });
  session.on("window-change", (accept, _reject, { rows, cols }) => {
    resize?.({ rows, cols });
    (accept as typeof accept | undefined)?.();
  });
  const run = (channel: ServerChannel, command: string | undefined): void => {
    const enterer = { enter, command };
    if (terminal === undefined) runPiped(channel, enterer);
    else resize = runOnTerminal(channel, enterer, terminal);
  };
  session.on("exec", (accept, _reject, { command }) => run(accept(), command));
  session.on("shell", (accept) => run(accept(), undefined));
}
