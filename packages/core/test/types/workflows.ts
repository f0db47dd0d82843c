// Step results survive a journal; contracts follow the workflow's output.
import {
  type IsJson,
  type ProviderHooks,
  type ProviderRegistration,
  type Schema,
  type Step,
  type Workflow,
  type WorkflowContract,
  workflow,
} from "@slipway/core";
import { same } from "./same.ts";
import { aws } from "./subject.ts";

declare const input: Schema<{ readonly key: string }>;
declare const output: Schema<{ readonly instanceId: string }>;
declare const hooks: ProviderHooks;

export const launch = workflow({
  type: "launch",
  version: 1,
  input,
  output,
  run: async (ctx, { key }) => {
    const instance = await ctx.step("spawn", (step) => aws.spawn({ key: step.key, signal: step.signal }), {
      undo: async ({ result }) => {
        same<typeof result, import("./subject.ts").AwsInstance | undefined>();
        if (result !== undefined) await aws.terminate(result.id);
      },
    });
    void key;
    return { instanceId: instance.id };
  },
});
same<typeof launch, Workflow<{ readonly key: string }, { readonly instanceId: string }>>();

// @ts-expect-error the run answers what the output schema says
workflow({ type: "x", version: 1, input, output, run: async () => ({ id: "i" }) });
// @ts-expect-error a version is demanded: a run of another one is not resumed
workflow({ type: "x", version: undefined, input, output, run: async () => ({ instanceId: "i" }) });

export async function results(step: Step): Promise<void> {
  await step("nothing", async () => undefined);
  await step("void", async (): Promise<void> => {});
  await step("data", async () => ({ ids: ["a"], nested: { n: 1 } }));
  // @ts-expect-error a Date does not come back from a journal as a Date
  await step("date", async () => new Date());
  // @ts-expect-error a function does not come back at all
  await step("function", async () => ({ call: () => 1 }));
  // @ts-expect-error nor does a Map
  await step("map", async () => new Map([["a", 1]]));
}
interface Tree {
  readonly children: readonly Tree[];
}
same<IsJson<Tree>, true>();
same<IsJson<{ readonly at: Date }>, false>();
same<IsJson<bigint>, false>();

export const registration: ProviderRegistration<typeof aws, { readonly launch: typeof launch }> = {
  provider: aws,
  hooks,
  workflows: { launch },
  contracts: {
    launch: { validateInput: () => ({ key: "k" }), requiredOutputFields: ["instanceId"], maxDurationMs: 1 },
  },
};
export const erasedRegistration: ProviderRegistration = registration;
export const wrongField: ProviderRegistration<typeof aws, { readonly launch: typeof launch }> = {
  hooks,
  // @ts-expect-error the output has no such field
  contracts: { launch: { validateInput: () => ({ key: "k" }), requiredOutputFields: ["id"], maxDurationMs: 1 } },
};

declare const launchContract: WorkflowContract<{ readonly key: string }, { readonly instanceId: string }>;
// A contract of written types fits where the registration's own are not known.
export const looseRegistration: ProviderRegistration = {
  hooks,
  workflows: { launch },
  contracts: { launch: launchContract },
};
