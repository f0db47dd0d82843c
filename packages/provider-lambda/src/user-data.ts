import type { BootstrapScript, Operation } from "@slipway/core";
import { carriedBootstrap } from "@slipway/provider-kit/bootstrap";
import { refusal } from "./remote.ts";

/** What Lambda takes as user data, in bytes; it says 1 MB. */
export const MAX_USER_DATA_BYTES = 1_000_000;

/** A link that is made at the first boot, from a path that Lambda cannot mount at. */
export interface BootLink {
  readonly path: string;
  readonly target: string;
}

export interface UserDataParts {
  readonly script: BootstrapScript | undefined;
  /** Public keys beside the one that Lambda itself sets up. */
  readonly sshKeys: readonly string[];
  readonly links: readonly BootLink[];
}

/** The text that Lambda hands to cloud-init; undefined if there is nothing to say. Throws INVALID_SPEC. */
export function userData({ script, sshKeys, links }: UserDataParts, operation: Operation): string | undefined {
  const text = sshKeys.length === 0 && links.length === 0 ? script?.content : merged(script, sshKeys, links, operation);
  const bytes = Buffer.byteLength(text ?? "");
  if (bytes <= MAX_USER_DATA_BYTES) return text;
  throw refusal(
    "INVALID_SPEC",
    operation,
    `bootstrap has ${bytes} bytes as user data, and Lambda takes ${MAX_USER_DATA_BYTES}`,
  );
}

const FIRST_LINE = "#cloud-config\n";

function merged(
  script: BootstrapScript | undefined,
  sshKeys: readonly string[],
  links: readonly BootLink[],
  operation: Operation,
): string {
  const body = script === undefined ? {} : cloudConfigOf(script);
  if (body === null) {
    throw refusal(
      "INVALID_SPEC",
      operation,
      "bootstrap is not of this provider's generateBootstrap, so that nothing can be added: give one SSH key, and mount below /home, /data or /lambda/nfs",
    );
  }
  const commands = links.flatMap(({ path, target }) => [
    ["mkdir", "-p", path.slice(0, path.lastIndexOf("/")) || "/"],
    ["ln", "-sfn", target, path],
  ]);
  const { runcmd = [], ...rest } = body;
  const all = [...commands, ...(Array.isArray(runcmd) ? (runcmd as readonly unknown[]) : [])];
  const config = {
    ...(sshKeys.length === 0 ? {} : { ssh_authorized_keys: sshKeys }),
    ...rest,
    ...(all.length === 0 ? {} : { runcmd: all }),
  };
  return `${FIRST_LINE}${JSON.stringify(config, null, 1)}\n`;
}

/** The body of a cloud-config that provider-kit rendered, which is JSON; null for any other. */
function cloudConfigOf(script: BootstrapScript): { readonly runcmd?: unknown } | null {
  if (script.format !== "cloud-init" || carriedBootstrap(script) === null) return null;
  const body: unknown = JSON.parse(script.content.slice(FIRST_LINE.length));
  return typeof body === "object" && body !== null ? body : null;
}
