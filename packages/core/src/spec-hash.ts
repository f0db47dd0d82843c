import type { BootstrapConfig, BootstrapScript } from "./bootstrap.ts";
import type { BaseSpawnOptions } from "./options.ts";

// A caller who gives up sooner, or whose token rotated, still asks for the same instance.
const NOT_SPEC: ReadonlySet<string> = new Set(["signal", "timeoutMs", "bootstrap"]);

/**
 * What a repeated key compares: a checksum over the canonical JSON of the options without signal, timeout and rotating
 * secrets. A provider hashes what it sends, so it renders the bootstrap first: then a config and the script that was
 * rendered from it before give the same hash.
 *
 * @example
 * ```ts
 * specHash({ spec: "small", key: "a" }) === specHash({ spec: "small", key: "a", timeoutMs: 5_000 }); // => true
 * ```
 */
export function specHash(options: BaseSpawnOptions): string {
  const spec: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) if (!NOT_SPEC.has(name)) spec[name] = value;
  if (options.bootstrap !== undefined) spec["bootstrap"] = bootstrapSpec(options.bootstrap);
  return checksumOf(canonicalJson(spec));
}

function bootstrapSpec(bootstrap: BootstrapConfig | BootstrapScript): unknown {
  if ("content" in bootstrap) return bootstrap.stableChecksum ?? bootstrap.checksum;
  const { registrationToken: _rotates, report, ...config } = bootstrap;
  return { ...config, report: typeof report === "object" ? { url: report.url } : report };
}

/**
 * JSON with sorted keys and without what is undefined: equal values give equal text.
 *
 * @example
 * ```ts
 * canonicalJson({ b: 1, a: undefined, c: [2] }); // => '{"b":1,"c":[2]}'
 * ```
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, node: unknown) =>
    typeof node === "object" && node !== null && !Array.isArray(node)
      ? Object.fromEntries(
          Object.entries(node)
            .filter(([, member]) => member !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
        )
      : node,
  );
}

/**
 * SHA-256 of UTF-8 text. The crypto module is loaded at the first digest, so that importing core costs nothing.
 *
 * @example
 * ```ts
 * sha256("echo ready\n").length; // => 32
 * ```
 */
export function sha256(text: string): Uint8Array {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text, "utf8").digest();
}

/**
 * `sha256:` and the hex digits, as checksums are written everywhere in the contract.
 *
 * @example
 * ```ts
 * checksumOf("echo ready\n"); // => "sha256:277cfe839808c4010d970694be37f2a28cc592396a68d8868b85c8303497319b"
 * ```
 */
export function checksumOf(text: string): string {
  return `sha256:${Array.from(sha256(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
