import { gzipSync } from "node:zlib";
import type { BootstrapScript, Operation } from "@slipway/core";
import { refusal } from "./call.ts";
import { type MountedVolume, mountScript } from "./capabilities/attach-devices.ts";

/** What EC2 takes as user data, in bytes, before base64. */
export const MAX_USER_DATA_BYTES = 16_384;

export interface UserDataParts {
  readonly script: BootstrapScript | undefined;
  readonly sshKeys: readonly string[];
  readonly volumes: readonly MountedVolume[];
  /** A script for every boot, which ends the machine at its time. */
  readonly terminateBy?: string | undefined;
}

/**
 * What EC2 hands to cloud-init, in base64; undefined if there is nothing to say. Several parts go as one MIME message,
 * which cloud-init takes apart; what is too long as it is goes compressed, which it takes as well. The same parts give
 * the same bytes. Throws INVALID_SPEC for what is too long all the same.
 */
export function userData(parts: UserDataParts, operation: Operation): string | undefined {
  const text = textOf(parts);
  if (text === undefined) return undefined;
  const plain = Buffer.from(text, "utf8");
  const packed = plain.byteLength <= MAX_USER_DATA_BYTES ? plain : gzipSync(plain, { level: 9 });
  if (packed.byteLength <= MAX_USER_DATA_BYTES) return packed.toString("base64");
  throw refusal(
    "INVALID_SPEC",
    operation,
    `bootstrap has ${packed.byteLength} bytes as compressed user data, and EC2 takes ${MAX_USER_DATA_BYTES}`,
    { hint: "Let the script fetch what is large." },
  );
}

function textOf({ script, sshKeys, volumes, terminateBy }: UserDataParts): string | undefined {
  const parts: Part[] = [];
  if (sshKeys.length > 0) parts.push({ type: "cloud-config", text: authorized(sshKeys) });
  if (terminateBy !== undefined) parts.push({ type: "cloud-boothook", text: terminateBy });
  // Before the caller's script, which may want to find its volumes.
  if (volumes.length > 0) parts.push({ type: "x-shellscript", text: `#!/bin/sh\n${mountScript(volumes)}` });
  if (script !== undefined) {
    parts.push({ type: script.format === "shell" ? "x-shellscript" : "cloud-config", text: script.content });
  }
  const [only] = parts;
  if (only === undefined) return undefined;
  if (parts.length > 1) return mime(parts);
  return only.type === "cloud-boothook" ? `#cloud-boothook\n${only.text}` : only.text;
}

interface Part {
  readonly type: "cloud-config" | "x-shellscript" | "cloud-boothook";
  readonly text: string;
}

function authorized(sshKeys: readonly string[]): string {
  return `#cloud-config\n${JSON.stringify({ ssh_authorized_keys: sshKeys }, null, 1)}\n`;
}

const BOUNDARY = "slipway-part-5f0c1d7e";

/** In base64, so that no content can hold the boundary. */
function mime(parts: readonly Part[]): string {
  const body = parts.map(({ type, text }) => {
    const lines = (
      Buffer.from(text, "utf8")
        .toString("base64")
        .match(/.{1,76}/g) ?? []
    ).join("\n");
    const head = [
      `Content-Type: text/${type}; charset="utf-8"`,
      "MIME-Version: 1.0",
      "Content-Transfer-Encoding: base64",
      // Later lists are joined to earlier ones, and nothing is replaced.
      "X-Merge-Type: list(append)+dict(no_replace,recurse_list)+str()",
    ];
    return `--${BOUNDARY}\n${head.join("\n")}\n\n${lines}\n`;
  });
  const head = `Content-Type: multipart/mixed; boundary="${BOUNDARY}"\nMIME-Version: 1.0\n\n`;
  return `${head}${body.join("")}--${BOUNDARY}--\n`;
}
