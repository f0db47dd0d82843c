/** A mistake that a user makes, and what every compiler prints for it. */
export interface Mistake {
  readonly mistake: string;
  /** What is written, after the imports and declarations of `MISTAKE_PRELUDE`. */
  readonly code: string;
  /** The whole first line, where all compilers print the same. */
  readonly begins?: string;
  /** How the text ends: the line that names the reason. */
  readonly ends: string;
}

export const MISTAKE_PRELUDE = `
import { defineProvider, isProviderError, type Instance, type Provider, ProviderError, ProviderRegistry, type Snapshot, supports } from "@slipway/core";
import { aws, erased, hooks, lambda, type LambdaProvider, type LocalProvider } from "subject";
type Parts<P extends Provider, K extends keyof P> = Pick<P, K | "name" | "owner" | "tier" | "limits" | "spawn" | "terminate" | "list" | "get" | "generateBootstrap">;
declare const lambdaParts: Parts<LambdaProvider, "createVolume" | "listVolumes" | "deleteVolume">;
declare const localParts: Parts<LocalProvider, "pause" | "exec">;
declare const maybe: boolean;
`;

const define = (rest: string): string => `defineProvider<LambdaProvider>({ ...lambdaParts, ${rest} });`;

export const MISTAKES: readonly Mistake[] = [
  {
    mistake: "a method that is off, on a concrete provider",
    code: `lambda.createSnapshot("i", { key: "s" });`,
    ends: "TS2339: Property 'createSnapshot' does not exist on type 'LambdaProvider'.",
  },
  {
    mistake: "a method that is off, on an erased provider, under its flag",
    code: `if (erased.capabilities.snapshots) erased.createSnapshot("i", { key: "s" });`,
    ends: "TS2339: Property 'createSnapshot' does not exist on type 'Provider'.",
  },
  {
    mistake: "an option that is off",
    code: "lambda.spawn({ spot: { maxUsdPerHour: 1 } });",
    begins: `TS2322: Type '{ maxUsdPerHour: number; }' is not assignable to type 'Lacks<"spot"> & SpotOptions'.`,
    ends: `required in type 'Lacks<"spot">'.`,
  },
  {
    mistake: "an option that is off, in a variable",
    code: "const held = { spot: { maxUsdPerHour: 1 } }; lambda.spawn(held);",
    begins: `TS2345: Argument of type '{ spot: { maxUsdPerHour: number; }; }' is not assignable to parameter of type 'SpawnOptions<"gpu" | "persistentVolumes">'.`,
    ends: `required in type 'Lacks<"spot">'.`,
  },
  {
    mistake: "a region where there are none",
    code: `lambda.spawn({ region: "us" });`,
    begins: `TS2322: Type 'string' is not assignable to type 'Lacks<"multiRegion"> & string'.`,
    ends: `Type 'string' is not assignable to type 'Lacks<"multiRegion">'.`,
  },
  {
    mistake: "a region on a call that takes an id",
    code: `aws.get("i", { region: "us" });`,
    ends: "TS2353: Object literal may only specify known properties, and 'region' does not exist in type 'CallOptions'.",
  },
  {
    mistake: "a misspelt option",
    code: `aws.spawn({ regoin: "us" });`,
    ends: "Did you mean to write 'region'?",
  },
  {
    mistake: "a provider where a capability is required",
    code: `declare const archive: (provider: Provider<Instance, Snapshot, "snapshots">) => void; archive(lambda);`,
    begins: `TS2345: Argument of type 'LambdaProvider' is not assignable to parameter of type 'Provider<Instance, Snapshot, "snapshots">'.`,
    ends: "Types of property 'snapshots' are incompatible.\n            Type 'boolean' is not assignable to type 'true'.",
  },
  {
    mistake: "a misspelt name in a guard",
    code: `supports(erased, "snapshot");`,
    ends: `TS2345: Argument of type '"snapshot"' is not assignable to parameter of type 'Capability'.`,
  },
  {
    mistake: "a flag that is on, its methods missing",
    code: "defineProvider<LocalProvider>({ ...localParts, capabilities: { snapshots: true } });",
    ends: ": createSnapshot, getSnapshotStatus, deleteSnapshot, listSnapshots",
  },
  {
    mistake: "a flag that is off, its method there",
    code: define(`capabilities: { gpu: true, persistentVolumes: true }, createSnapshot: async () => ({ id: "s" })`),
    ends: `TS2322: Type '() => Promise<{ id: string; }>' is not assignable to type 'Lacks<"snapshots">'.`,
  },
  {
    mistake: "an unknown flag",
    code: define("capabilities: { gpu: true, persistentVolumes: true, snapshot: true }"),
    begins:
      "TS2561: Object literal may only specify known properties, but 'snapshot' does not exist in type 'DeclaredFlags<CapabilitiesOf<NoInfer<LambdaProvider>>>'. Did you mean to write 'snapshots'?",
    ends: "Did you mean to write 'snapshots'?",
  },
  {
    mistake: "a flag that the type does not name",
    code: define("capabilities: { gpu: true, persistentVolumes: true, spot: true }"),
    ends: "TS2322: Type 'true' is not assignable to type 'false'.",
  },
  {
    mistake: "a flag that the type names, left out",
    code: define("capabilities: { gpu: true }"),
    begins:
      "TS2322: Type '{ gpu: true; }' is not assignable to type 'DeclaredFlags<CapabilitiesOf<NoInfer<LambdaProvider>>>'.",
    ends: "required in type '{ readonly gpu: true; readonly persistentVolumes: true; }'.",
  },
  {
    mistake: "a flag that is a boolean",
    code: define("capabilities: { gpu: maybe, persistentVolumes: true }"),
    ends: "TS2322: Type 'boolean' is not assignable to type 'true'.",
  },
  {
    mistake: "whyNot for a flag that is on",
    code: define(`capabilities: { gpu: true, persistentVolumes: true }, whyNot: { gpu: "…" }`),
    ends: "TS2353: Object literal may only specify known properties, and 'gpu' does not exist in type 'WhyNot<CapabilitiesOf<NoInfer<LambdaProvider>>>'.",
  },
  {
    mistake: "an unknown registry name",
    code: `new ProviderRegistry({ lambda: { provider: lambda, hooks } }).get("aws");`,
    ends: `TS2345: Argument of type '"aws"' is not assignable to parameter of type '"lambda"'.`,
  },
  {
    mistake: "an unknown error code",
    code: `isProviderError(new Error("e"), "CAPACITY");`,
    ends: `TS2345: Argument of type '"CAPACITY"' is not assignable to parameter of type 'ErrorCode'.`,
  },
  {
    mistake: "an error without its effect",
    code: `new ProviderError("BUSY", { message: "m", provider: "p", operation: "spawn" });`,
    ends: `Property 'effect' is missing in type '{ message: string; provider: string; operation: "spawn"; }' but required in type 'ProviderErrorDetails'.`,
  },
  {
    mistake: "a volume without its key",
    code: "aws.createVolume({ sizeBytes: 1 });",
    ends: "Property 'key' is missing in type '{ sizeBytes: number; }' but required in type 'CreateVolumeOptions'.",
  },
];
