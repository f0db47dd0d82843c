import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandRunner, isCommandError } from "@slipway/provider-kit/command";
import { CliError } from "./cli-error.ts";

/** A key for one run, in a directory that only this user can enter. It goes away with the run. */
export interface FreshKey extends AsyncDisposable {
  readonly identityFile: string;
}

export async function makeFreshKey(): Promise<FreshKey> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-key-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  const identityFile = join(directory, "id_ed25519");
  try {
    const argv = ["-q", "-t", "ed25519", "-N", "", "-C", "slipway-run", "-f", identityFile];
    const { exitCode } = await commandRunner({ provider: "slipway" })("ssh-keygen", argv, { timeoutMs: 30_000 });
    if (exitCode !== 0) throw new Error(`ssh-keygen ended with ${exitCode}`);
  } catch (error) {
    await remove();
    const isMissing = isCommandError(error) && error.notFound;
    const message = isMissing ? "there is no ssh-keygen on this machine" : "ssh-keygen could not make a key";
    throw new CliError("MISSING_TOOL", message, "Install OpenSSH's client, or pass --identity.", error);
  }
  return { identityFile, [Symbol.asyncDispose]: remove };
}
