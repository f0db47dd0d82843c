// A registry is exact by a written name, erased by a name from data.
import {
  type Instance,
  type Provider,
  type ProviderRegistration,
  ProviderRegistry,
  type Registrations,
  supports,
} from "@slipway/core";
import { same } from "./same.ts";
import { type AwsProvider, aws, hooks, type LambdaProvider, type LocalProvider, lambda, local } from "./subject.ts";

const registry = new ProviderRegistry({
  aws: { provider: aws, hooks },
  lambda: { provider: lambda, hooks },
  local: { provider: local, hooks },
});

export function exact(): void {
  same<ReturnType<typeof registry.get<"lambda">>, LambdaProvider>();
  same<ReturnType<typeof registry.get<"local">>, LocalProvider>();
  void registry.get("aws").createSnapshot("i", { key: "s" });
  void registry.get("local").pause("i");
  // @ts-expect-error nobody registered it
  registry.get("azure");
  // @ts-expect-error exact: Lambda makes no snapshots
  registry.get("lambda").createSnapshot("i", { key: "s" });
  same<typeof registry.names, readonly ("aws" | "lambda" | "local")[]>();
}

export async function fromData(row: { readonly provider: string; readonly instance: string }): Promise<void> {
  const found = registry.lookup(row.provider);
  // @ts-expect-error it may not be registered
  void found.list();
  if (found === undefined) return;
  same<typeof found, Provider>();
  if (supports(found, "hibernation")) await found.hibernate(row.instance);
  // @ts-expect-error unproven
  void found.hibernate(row.instance);
}

export async function byCapability(): Promise<void> {
  for (const provider of registry.supporting("snapshots", "spot")) {
    void provider.createSnapshot("i", { key: "s" });
    const instance: Instance = await provider.spawn({ spot: {}, fromSnapshot: "s" });
    void instance;
    // @ts-expect-error not asked for
    void provider.listRegions();
  }
  // @ts-expect-error unknown
  registry.supporting("snapshot");
}

// One that is filled at run time.
declare const loaded: Readonly<Record<string, ProviderRegistration>>;
const open = new ProviderRegistry(loaded);
export const anyName: Provider = open.get("whatever");
export const typed: ProviderRegistration<AwsProvider> = { provider: aws, hooks };
export const asAny: ProviderRegistration = typed;
// A registry of something exact is one of anything.
export const handed: { readonly lookup: (name: string) => Provider | undefined } = registry;

// A function that takes any registry is generic over its record.
function count<R extends Registrations>(any: ProviderRegistry<R>): number {
  return any.names.filter((name) => any.lookup(name) !== undefined).length;
}
export const counted: number = count(registry) + count(open);
