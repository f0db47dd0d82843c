import type { ProviderRegistration } from "@slipway/core";
import { register as registerCoreweave } from "@slipway/provider-coreweave";
import { register as registerKubernetes } from "@slipway/provider-kubernetes";
import { register as registerSlurm } from "@slipway/provider-slurm";
import { harnesses } from "./harnesses.ts";

type Names = keyof typeof harnesses;

/** Each provider's registration, for what it says of itself: its remote is closed already. */
export async function registrations(): Promise<Readonly<Record<Names, ProviderRegistration>>> {
  const entries = await Promise.all(
    Object.entries(harnesses).map(async ([name, factory]) => {
      const harness = await factory();
      await harness.close();
      return [name, harness.registration] as const;
    }),
  );
  // One for each harness, under its name.
  return Object.fromEntries(entries) as Readonly<Record<Names, ProviderRegistration>>;
}

/** Providers whose remote is real and not started here: for what they say of themselves. Registering runs nothing. */
export async function withoutRemote(): Promise<
  Readonly<Record<"slurm" | "kubernetes" | "coreweave", ProviderRegistration>>
> {
  const environment = { owner: "conformance", variables: {} };
  return {
    slurm: await registerSlurm({}, environment),
    kubernetes: await registerKubernetes({}, environment),
    coreweave: await registerCoreweave({}, environment),
  };
}
