import type { BootstrapFile, BootstrapReport, BootstrapScript } from "@slipway/core";
import { payloadOf } from "./render-bootstrap.ts";

/** What a rendered bootstrap carries. */
export interface CarriedBootstrap {
  /** The user's own script. */
  readonly script: string;
  /** All variables that it gets, registration token and control-plane URL among them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly Required<BootstrapFile>[];
  readonly registrationToken?: string;
  readonly report?: BootstrapReport;
}

/**
 * Reads a rendered bootstrap back: for a provider that must know the secrets in a script that it was handed, and for an
 * emulator that looks at what it would run. Null for a script that this package has not rendered.
 */
export function carriedBootstrap(rendered: Pick<BootstrapScript, "content" | "format">): CarriedBootstrap | null {
  const payload = payloadOf(rendered);
  if (payload === null || !payload.startsWith("#!/bin/sh\n# slipway-bootstrap 1\n")) return null;
  const values = [...payload.matchAll(VALUE)].map(([, command, mode, text]) => ({
    command,
    mode,
    value: decoded(text),
  }));
  const names = [...payload.matchAll(VARIABLE)].map(([, name]) => name ?? "");

  const [url, token] = [...payload.matchAll(REPORT)].map(([, text]) => decoded(text));

  const files: Required<BootstrapFile>[] = [];
  let at = 0;
  // A path and then its file, until a file comes without a path: that is the script.
  for (; values[at]?.command === "read"; at += 2) {
    const [path, file] = [values[at], values[at + 1]];
    if (path === undefined || file?.mode === undefined) return null;
    files.push({ path: path.value, content: file.value, mode: file.mode });
  }
  const script = values[at];
  const variables = values.slice(at + 1);
  if (script === undefined || variables.length !== names.length) return null;
  const environment = Object.fromEntries(names.map((name, index) => [name, variables[index]?.value ?? ""]));
  const registrationToken = environment["SLIPWAY_REGISTRATION_TOKEN"];
  return {
    script: script.value,
    environment,
    files,
    ...(registrationToken === undefined ? {} : { registrationToken }),
    ...(url === undefined || token === undefined ? {} : { report: { url, token } }),
  };
}

// No value can look like these: all of them are base64.
const VALUE = /^ {2}slipway_(read|file)(?: (\d{4}))? <<'__'\n([A-Za-z0-9+/=\n]*)__$/gm;
const REPORT = /^ {2}slipway_take <<'__'\n([A-Za-z0-9+/=\n]*)__$/gm;
const VARIABLE = /^ {2}export ([A-Za-z_][A-Za-z0-9_]*)="\$\{\d+\}"$/gm;

function decoded(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString("utf8");
}

// A shorter value would take ordinary words out of messages.
const SHORTEST_SECRET = 4;

/**
 * What of a bootstrap must not show in an error, an event or a log: the script, what it carries, and the texts in which it
 * is sent.
 */
export function bootstrapSecrets(
  script: BootstrapScript | undefined,
  ...sent: readonly (string | undefined)[]
): readonly string[] {
  const carried = script === undefined ? null : carriedBootstrap(script);
  const values = [
    ...sent,
    script?.content,
    carried?.script,
    carried?.registrationToken,
    carried?.report?.token,
    ...Object.values(carried?.environment ?? {}),
    ...(carried?.files ?? []).map(({ content }) => content),
  ];
  return values.filter((value) => value !== undefined).filter((value) => value.length >= SHORTEST_SECRET);
}
