import type { Workflow } from "@slipway/core";
import { type AwsRegistration, register } from "@slipway/provider-aws";

const GIB = 1024 ** 3;

/** What each workflow of AWS is begun with here. */
export const AWS_INPUTS: Readonly<Record<keyof AwsRegistration["workflows"], unknown>> = {
  multiAz: { spawn: { spec: "m5.large" } },
  warmVolumes: { spawn: { spec: "m5.large" }, pool: "data", sizeBytes: GIB },
  spotFleet: { spawn: {}, specs: ["m5.large", "m6i.large"], count: 2 },
};

/** The three workflows as they are, and each once more with a last step that fails, so that all before it is undone. */
export async function awsFlows(variables: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Workflow>> {
  // Short: what the emulated EC2 shows late, it shows after less.
  const { workflows } = await register({ readAfterWriteMs: 300 }, { owner: "engines", variables });
  const flows = new Map<string, Workflow>();
  for (const [name, workflow] of Object.entries<Workflow>(workflows)) {
    flows.set(name, workflow);
    flows.set(`${name} fails`, {
      ...workflow,
      type: `${workflow.type} fails`,
      run: async (ctx, input) => {
        await workflow.run(ctx, input);
        return ctx.step("the last one", async () => Promise.reject(new Error("the last step fails")));
      },
    });
  }
  return flows;
}
