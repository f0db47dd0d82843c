// Functions that are generic over what a provider can do: exact in and out, without a cast.
import {
  type Capability,
  type Instance,
  type ListFilter,
  type Provider,
  type Snapshot,
  type SpawnOptions,
  supports,
} from "@slipway/core";
import { same } from "./same.ts";
import { type AwsInstance, aws, erased, type LambdaInstance, lambda, local } from "./subject.ts";

async function launch<I extends Instance, C extends Capability>(
  provider: Provider<I, Snapshot, C>,
  options: SpawnOptions<C>,
  filter?: ListFilter<C>,
): Promise<I> {
  const found = await provider.list(filter);
  await provider.terminate("i");
  return found[0] ?? provider.spawn(options);
}

export function calls(): void {
  same<ReturnType<typeof launchLambda>, Promise<LambdaInstance>>();
  void launch(aws, { spot: {}, region: "r" }, { region: "r" });
  void launch(local, { fromSnapshot: "s" });
  void launch(erased, {});
  // @ts-expect-error the options follow the provider, also through a generic
  void launch(lambda, { spot: {} });
  // @ts-expect-error the filter too
  void launch(lambda, {}, { region: "r" });
  const held = { spot: {} };
  // @ts-expect-error and from a variable
  void launch(lambda, held);
  if (supports(erased, "spot")) void launch(erased, { spot: {} });
}
const launchLambda = () => launch(lambda, { gpu: { count: 1 } });

// Requiring a capability and staying generic over the rest.
export async function withSnapshot<I extends Instance, C extends Capability>(
  provider: Provider<I, Snapshot, C> & Provider<I, Snapshot, "snapshots">,
  id: string,
): Promise<Snapshot> {
  return provider.createSnapshot(id, { key: "s" });
}
void withSnapshot(aws, "i");
// @ts-expect-error Lambda has none
void withSnapshot(lambda, "i");

export async function first<I extends Instance>(provider: Provider<I>): Promise<I | undefined> {
  return (await provider.list())[0];
}
export const found: Promise<AwsInstance | undefined> = first(aws);
