import { type BootstrapConfig, type BootstrapScript, type Operation, ProviderError } from "@slipway/core";
import { renderBootstrap } from "./render-bootstrap.ts";
import { wrongScript } from "./validate-bootstrap.ts";

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
