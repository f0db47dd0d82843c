import { isProviderError, silentLog } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, mustEqual, NotApplicable, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { HarnessPackage } from "../harness.ts";
import type { Rules } from "../ids.ts";

export const packageRules: Rules<"PKG" | "REGISTRY" | "RUNTIME"> = {
  "PKG-01":
    "A provider package's manifest names its provider and contract under `slipway`, and both agree with the provider.",
  "PKG-02": "`register` validates its config and rejects with INVALID_SPEC; it answers a registration.",
  "REGISTRY-01": "A registry accepts the contract versions n and n-1, and refuses others with the line that upgrades.",
  "RUNTIME-01":
    "A listener that throws is not the fault of the call that it listens to, and `log` is silent by default.",
  "RUNTIME-02": "`timeoutMs` is counted on the injected clock and no other.",
};

/** What a provider's package says of itself. */
export const packageCases: Cases<"package"> = {
  "package.manifest": {
    title: "names provider and contract in its manifest",
    rules: ["PKG-01"],
    needs: ["package"],
    run: async (context) => {
      const { slipway } = packageOf(context).manifest;
      const { name, contractVersion } = context.subject;
      const expected = { provider: name, contract: contractVersion };
      // It may say more, as the variables that configure it.
      const { provider, contract } = typeof slipway === "object" && slipway !== null ? Object(slipway) : {};
      mustEqual(
        "PKG-01",
        "the manifest's slipway",
        { provider, contract },
        expected,
        `Write "slipway": ${shown(expected)}.`,
      );
    },
  },
  "package.register": {
    title: "registers with a config that is right, and refuses others",
    rules: ["PKG-02"],
    needs: ["package"],
    run: async (context) => {
      const { register, config, badConfigs = [] } = packageOf(context);
      const { subject, harness } = context;
      const env = { owner: subject.owner, variables: {}, runtime: { clock: harness.clock, log: silentLog } };
      for (const bad of [7, "config", [], { thisSettingDoesNotExist: true }, ...badConfigs]) {
        const outcome = await settled(() => register(bad, env));
        must(!outcome.ok, "PKG-02", `register takes ${shown(bad)}`, "Validate with a strict configSchema.");
        const right = isProviderError(outcome.error, "INVALID_SPEC");
        must(right, "PKG-02", `register rejects ${shown(bad)} with ${shown(outcome.error)}`, "Throw INVALID_SPEC.");
      }
      if (config === undefined) return;
      const { provider } = await register(config, env);
      mustEqual("PKG-02", "the registered provider", provider?.name, subject.name, "Register the same provider.");
    },
  },
};

function packageOf({ harness }: CaseContext): HarnessPackage {
  if (harness.package === undefined) throw new NotApplicable("the harness has no package");
  return harness.package;
}
