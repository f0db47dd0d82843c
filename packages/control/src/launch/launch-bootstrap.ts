import { type BootstrapConfig, type BootstrapScript, type Provider, ProviderError } from "@slipway/core";
import type { JsonValue, LaunchIdentity } from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import type { LaunchOptions } from "./options.ts";

/** The bootstrap as it is sent. */
export function renderedBy(provider: Provider, bootstrap: BootstrapConfig | BootstrapScript): BootstrapScript {
  if ("content" in bootstrap) return bootstrap;
  const script = provider.generateBootstrap(bootstrap);
  const { registrationToken, report, ...lasting } = bootstrap;
  const rotates = registrationToken !== undefined || typeof report === "object";
  if (!rotates || script.stableChecksum !== undefined) return script;
  // A rotated token is not another spec.
  const stable = typeof report === "object" ? { ...lasting, report: { ...report, token: ANY_TOKEN } } : lasting;
  return { ...script, stableChecksum: provider.generateBootstrap(stable).checksum };
}

/** A bootstrap that reports, for one launch. */
export interface Reporting {
  /** With a token that is no one's: for what does not depend on it. */
  readonly any: BootstrapConfig;
  /** With the token of a launch of this name, rendered and as it is stored. */
  readonly of: (launch: string) => Promise<JsonValue>;
}

// Shorter than any real one.
const ANY_TOKEN = "0";

/** What a launch with `reports` makes of a bootstrap with `report: true`; null for all others. */
export function reportingWith(
  provider: Provider,
  bootstrap: BootstrapConfig | BootstrapScript | undefined,
  identity: LaunchIdentity,
  { reports, store }: Pick<LaunchOptions, "reports"> & { readonly store?: LaunchStore | undefined },
): Reporting | null {
  if (reports === undefined || bootstrap === undefined || "content" in bootstrap || bootstrap.report !== true)
    return null;
  const { controlPlaneUrl: url } = bootstrap;
  const wrong =
    store === undefined ? "reports need the store that they were made with" : "report: true needs controlPlaneUrl";
  if (store === undefined || url === undefined) {
    throw new ProviderError("INVALID_SPEC", {
      message: wrong,
      provider: provider.name,
      operation: "launch",
      effect: "none",
    });
  }
  const withToken = (token: string): BootstrapConfig => ({ ...bootstrap, report: { url, token } });
  return {
    any: withToken(ANY_TOKEN),
    of: async (launch) => {
      const token = await reports.token(identity, launch);
      // Of an object of texts and numbers, JSON.parse gives an object of JSON values.
      return JSON.parse(JSON.stringify(renderedBy(provider, withToken(token)))) as JsonValue;
    },
  };
}
