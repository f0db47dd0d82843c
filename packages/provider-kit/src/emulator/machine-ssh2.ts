import { spawn } from "node:child_process";
import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { existsSync, lstatSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel, type Session } from "ssh2";
import { enterScript, LOGIN_NAMES, SHOWN_PORT, type SshServer, type SshServerSpec } from "./machine-sshd.ts";

const KEY_FILE_BYTES = 65_536;

/**
 * Starts a server of the package ssh2 for a machine, in this process. As behind sshd every command is led into the sandbox,
 * and nothing is forwarded. It gives no terminal.
 */
export async function startSsh2({ directory, address, asShown, sandbox, keyFiles }: SshServerSpec): Promise<SshServer> {
  const enter = join(directory, "enter");
  await writeFile(enter, await enterScript(sandbox), { mode: 0o700 });
  const user = userInfo().username;
  const names = asShown ? LOGIN_NAMES : [user];
  const open = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [await hostKey(join(directory, "host_key"))] }, (connection) => {
    open.add(connection);
    connection.once("close", () => open.delete(connection));
    // Also what a client does wrong. It has then ended.
    connection.on("error", () => undefined);
    connection.on("authentication", (context) => void authenticate(context, names, keyFiles));
    connection.on("session", (accept) => serveSession(accept(), enter));
  });
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
async function hostKey(path: string): Promise<string> {
  if (existsSync(path)) return await readFile(path, "utf8");
  const { private: made } = ssh2.utils.generateKeyPairSync("ed25519");
  await writeFile(path, made, { mode: 0o600 });
  return made;
}

async function authenticate(
  context: AuthContext,
  names: readonly string[],
  keyFiles: readonly string[],
): Promise<void> {
  if (context.method !== "publickey" || !names.includes(context.username)) return context.reject(["publickey"]);
  const { key: offered, blob, signature, hashAlgo } = context;
  const known = (await readKeys(keyFiles)).find((key) => isSame(key.getPublicSSH(), offered.data));
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
async function readKeys(files: readonly string[]): Promise<readonly ParsedKey[]> {
  const there = files.filter(isKeyFile);
  const texts = await Promise.all(there.map((file) => readFile(file, "utf8").catch(() => "")));
  const lines = texts.flatMap((text) => text.split("\n")).map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .flatMap((line) => {
      const key = ssh2.utils.parseKey(line);
      return key instanceof Error ? [] : [key];
    });
}

/** The machine writes there: a link is not followed, and a pipe not waited for. */
function isKeyFile(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size <= KEY_FILE_BYTES;
}

function serveSession(session: Session, enter: string): void {
  session.on("exec", (accept, _reject, { command }) => runInside(accept(), enter, command));
  session.on("shell", (accept) => runInside(accept(), enter, undefined));
}

function runInside(channel: ServerChannel, enter: string, command: string | undefined): void {
  const environment = command === undefined ? {} : { SSH_ORIGINAL_COMMAND: command };
  const child = spawn(enter, [], { env: { PATH: process.env["PATH"], ...environment }, stdio: "pipe" });
  for (const stream of [channel, channel.stderr, child.stdin, child.stdout, child.stderr]) {
    stream.on("error", () => undefined);
  }
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr);
  // The rest of stderr is lost where the channel is closed before it is sent.
  const sent = once(channel.stderr, "finish").catch(() => undefined);
  channel.once("close", () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
  });
  child.once("error", () => channel.close());
  child.once("close", (code, signal) => {
    void sent.then(() => {
      if (signal === null) channel.exit(code ?? 255);
      else channel.exit(signal.replace(/^SIG/, ""));
      channel.end();
    });
  });
}
