import type { FieldsOf, RequestKind, RequestShapeOf } from "./shape.ts";

/** A file that the bootstrap writes before the script runs. */
export interface BootstrapFile {
  /** Absolute path inside the instance. */
  readonly path: string;
  /** UTF-8 text. */
  readonly content: string;
  /** File mode, for example `"0644"`; that is also the default. */
  readonly mode?: string | undefined;
}

/** What is installed if it is missing. */
export type BootstrapFeature = "docker" | "tailscale";

/** Where and as whom an instance reports how its bootstrap goes. */
export interface BootstrapReport {
  /** `https` or `http`; the reports are posted there. */
  readonly url: string;
  /** A secret that is good for these reports alone. It is not part of the spec that a repeated key compares. */
  readonly token: string;
}

/** What shall happen inside the instance at its first boot. Every value may hold any character but NUL. */
export interface BootstrapConfig {
  /** Run by `sh` after the features, files and environment are there. */
  readonly script: string;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly files?: readonly BootstrapFile[] | undefined;
  readonly features?: readonly BootstrapFeature[] | undefined;
  /** Where the instance reports to; in the script's environment as `SLIPWAY_CONTROL_PLANE_URL`. */
  readonly controlPlaneUrl?: string | undefined;
  /** A rotating secret, in the script's environment as `SLIPWAY_REGISTRATION_TOKEN`. It is not part of the spec that a repeated key compares. */
  readonly registrationToken?: string | undefined;
  /**
   * The instance reports that the bootstrap began, its last lines while it runs, and its exit code. `true`: to
   * `controlPlaneUrl`, with the token that control's `launch` makes of its `reports`, else with `registrationToken`. A report that
   * cannot be sent changes nothing of the bootstrap.
   */
  readonly report?: true | BootstrapReport | undefined;
}

/** A rendered bootstrap: what `generateBootstrap` answers, and what `spawn` takes as it is. */
export interface BootstrapScript {
  readonly content: string;
  readonly format: "cloud-init" | "shell";
  /** `sha256:` and 64 hex digits, over the UTF-8 bytes of `content`. */
  readonly checksum: string;
  /** Length of the UTF-8 bytes of `content`. */
  readonly byteLength: number;
  /**
   * Checksum of the same script rendered without its registration token and its report's token; what `specHash` compares, so that a
   * rotated token is not another spec. Absent: `checksum` is compared.
   */
  readonly stableChecksum?: string | undefined;
}

export const bootstrapConfigShape: RequestShapeOf<BootstrapConfig> = {
  script: "any",
  "environment?": "texts",
  "files?": [{ path: "path", content: "any", "mode?": "text" }],
  "features?": [{ oneOf: { docker: true, tailscale: true } }],
  "controlPlaneUrl?": "text",
  "registrationToken?": "text",
  "report?": "report",
};
export const bootstrapReportShape: RequestShapeOf<BootstrapReport> = { url: "text", token: "text" };
export const bootstrapScriptShape: FieldsOf<BootstrapScript, RequestKind | "checksum" | "size"> = {
  content: "any",
  format: { oneOf: { "cloud-init": true, shell: true } },
  checksum: "checksum",
  byteLength: "size",
  "stableChecksum?": "checksum",
};
