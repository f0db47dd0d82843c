import type { BootstrapConfig, BootstrapScript } from "@slipway/core";
import { renderBootstrap } from "@slipway/provider-kit/bootstrap";
import { PROVIDER } from "./context.ts";

export function render(config: BootstrapConfig, operation = "generateBootstrap"): BootstrapScript {
  return renderBootstrap(config, { format: "shell", provider: PROVIDER, operation });
}
