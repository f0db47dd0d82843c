import { bootstrapPaths } from "./paths.ts";

const FIRST_LINE = "#cloud-config\n";

/**
 * A cloud-config that stores the script and runs it. Its body is JSON of plain ASCII, which every YAML reader takes for
 * the same thing: no value of a user ever meets YAML's own syntax.
 */
export function cloudConfig(script: string, directory: string): string {
  const { script: path } = bootstrapPaths(directory);
  const content = Buffer.from(script, "utf8").toString("base64");
  const body = {
    write_files: [{ path, owner: "root:root", permissions: "0700", encoding: "b64", content }],
    runcmd: [["/bin/sh", path]],
  };
  return `${FIRST_LINE}${JSON.stringify(body, null, 1)}\n`;
}

/** The script in a cloud-config of the function above; null for any other text. */
export function payloadInCloudConfig(text: string): string | null {
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
