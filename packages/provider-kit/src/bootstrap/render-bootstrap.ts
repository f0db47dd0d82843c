import { type BootstrapConfig, type BootstrapScript, checksumOf, type Operation } from "@slipway/core";
import { cloudConfig, payloadInCloudConfig } from "./cloud-config.ts";
import { BOOTSTRAP_DIRECTORY } from "./paths.ts";
import { reportOf } from "./report.ts";
import { shellScript } from "./shell-script.ts";
import {
  largestField,
  MAX_BOOTSTRAP_BYTES,
  type RefusalContext,
  refuse,
  validateBootstrap,
} from "./validate-bootstrap.ts";

export interface RenderOptions {
  /** Who refuses a config: both stand in the error. `generateBootstrap` if no operation is given. */
  readonly provider: string;
  readonly operation?: Operation | undefined;
  readonly format: BootstrapScript["format"];
  /**
   * Where the instance keeps sentinel, log and script; `/var/lib/slipway/bootstrap` if absent. Of letters, digits and
   * `. _ - /` only: it is the provider's constant, not a user's value.
   */
  readonly directory?: string | undefined;
}

/**
 * Renders a bootstrap: pure, and the same config gives the same bytes, whatever the order of its variables. Throws
 * INVALID_SPEC, naming the field, for what could not be carried out exactly, and for a result of over 1 MiB.
 *
 * `shell` is a script to be run as a file by any POSIX sh. `cloud-init` is a cloud-config that stores that very script
 * and runs it, so that both do the same. Inside, the sentinel has the script's own checksum; `payloadChecksum` gives the
 * one that it must have.
 */
export function renderBootstrap(config: BootstrapConfig, options: RenderOptions): BootstrapScript {
  const { format, directory = BOOTSTRAP_DIRECTORY } = options;
  if (!/^(\/[\w.-]+)+$/.test(directory)) throw new TypeError(`${directory} is no plain absolute path`);
  const context: RefusalContext = { provider: options.provider, operation: options.operation ?? "generateBootstrap" };
  validateBootstrap(config, context);

  const content = rendered(config, format, directory);
  const byteLength = Buffer.byteLength(content);
  if (byteLength > MAX_BOOTSTRAP_BYTES) {
    const { field, bytes } = largestField(config);
    refuse(
      [field, `has ${bytes} bytes: rendered, the bootstrap has ${byteLength}, and may have ${MAX_BOOTSTRAP_BYTES}`],
      context,
    );
  }
  const script: BootstrapScript = { content, format, checksum: checksumOf(content), byteLength };
  const report = reportOf(config);
  if (config.registrationToken === undefined && report === undefined) return script;
  const { registrationToken: _rotates, report: _asGiven, ...lasting } = config;
  const stable = report === undefined ? lasting : { ...lasting, report: { ...report, token: "" } };
  return { ...script, stableChecksum: checksumOf(rendered(stable, format, directory)) };
}

function rendered(config: BootstrapConfig, format: BootstrapScript["format"], directory: string): string {
  const script = shellScript(config, directory);
  return format === "shell" ? script : cloudConfig(script, directory);
}

/**
 * The script that runs inside: of a cloud-config the one that it stores. Null for a cloud-config that this package has
 * not rendered.
 */
export function payloadOf(script: Pick<BootstrapScript, "content" | "format">): string | null {
  return script.format === "shell" ? script.content : payloadInCloudConfig(script.content);
}

/** What the sentinel's `checksum` is when this script has run; null where `payloadOf` is. */
export function payloadChecksum(script: Pick<BootstrapScript, "content" | "format">): string | null {
  const payload = payloadOf(script);
  return payload === null ? null : checksumOf(payload);
}
