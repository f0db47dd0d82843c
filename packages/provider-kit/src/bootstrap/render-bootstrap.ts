import { type BootstrapConfig, type BootstrapScript, checksumOf, type Operation, ProviderError } from "@slipway/core";
import { reportOf } from "./report.ts";
import { BOOTSTRAP_DIRECTORY, bootstrapPaths } from "./sentinel.ts";
import { shellScript } from "./shell-script.ts";
import {
  largestField,
  MAX_BOOTSTRAP_BYTES,
  type RefusalContext,
  refuse,
  validateBootstrap,
  wrongScript,
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

const FIRST_LINE = "#cloud-config\n";

/**
 * A cloud-config that stores the script and runs it. Its body is JSON of plain ASCII, which every YAML reader takes for
 * the same thing: no value of a user ever meets YAML's own syntax.
 */
function cloudConfig(script: string, directory: string): string {
  const { script: path } = bootstrapPaths(directory);
  const content = Buffer.from(script, "utf8").toString("base64");
  const body = {
    write_files: [{ path, owner: "root:root", permissions: "0700", encoding: "b64", content }],
    runcmd: [["/bin/sh", path]],
  };
  return `${FIRST_LINE}${JSON.stringify(body, null, 1)}\n`;
}

/** The script in a cloud-config of the function above; null for any other text. */
function payloadInCloudConfig(text: string): string | null {
  if (!text.startsWith(FIRST_LINE)) return null;
  const body = parsed(text.slice(FIRST_LINE.length));
  const files = isRecord(body) ? body["write_files"] : undefined;
  const file: unknown = Array.isArray(files) ? files[0] : undefined;
  if (!isRecord(file) || file["encoding"] !== "b64" || typeof file["content"] !== "string") return null;
  const script = Buffer.from(file["content"], "base64").toString("utf8");
  return script.startsWith("#!/bin/sh\n# slipway-bootstrap 1\n") ? script : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

export interface GivenBootstrapOptions {
  /** Who refuses it: all three stand in the error, or in what is rendered. */
  readonly provider: string;
  readonly operation: Operation;
  /** What a config is rendered in. */
  readonly format: BootstrapScript["format"];
  /** What a rendered script may be in; `format` alone if absent. */
  readonly formats?: readonly BootstrapScript["format"][] | undefined;
  /** Of the rendered script, in bytes; without it the provider measures what it makes of the script. */
  readonly maxBytes?: number | undefined;
  /** True: something executes the file itself, so that a shell script must begin with `#!`. */
  readonly executed?: boolean | undefined;
}

/** The script of what a spawn was given: a config is rendered, a script is checked as far as core could not. Throws INVALID_SPEC. */
export function givenBootstrap(
  bootstrap: BootstrapConfig | BootstrapScript,
  options: GivenBootstrapOptions,
): BootstrapScript {
  const { provider, operation } = options;
  const script = "content" in bootstrap ? bootstrap : renderBootstrap(bootstrap, options);
  const fault = faultOf(script, options);
  if (fault === null) return script;
  const hint = script.format === options.format ? undefined : "Render it by this provider's generateBootstrap.";
  const message = `bootstrap ${fault}`;
  throw new ProviderError("INVALID_SPEC", { message, provider, operation, effect: "none", hint });
}

function faultOf(
  { format, byteLength, content }: BootstrapScript,
  { format: own, formats = [own], maxBytes = Number.POSITIVE_INFINITY, executed = false }: GivenBootstrapOptions,
): string | null {
  if (!formats.includes(format)) return `has the format ${format}, and only ${formats.join(" and ")} runs here`;
  if (byteLength > maxBytes) return `has ${byteLength} bytes, and at most ${maxBytes} are taken`;
  if (content.includes("\0")) return "holds a NUL character";
  const wrong = format === "shell" ? wrongScript(content) : null;
  if (wrong !== null) return wrong;
  const starts = !executed || format !== "shell" || content.startsWith("#!");
  return starts ? null : "is a shell script that does not begin with `#!`";
}
