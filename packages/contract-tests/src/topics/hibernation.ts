import { assertSupports, type Instance, type Provider, type Snapshot } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, mustEqual, mustReject, mustResolve } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";

type Sleeping = Provider<Instance, Snapshot, "hibernation">;
const able = (provider: Provider): Sleeping => {
  assertSupports(provider, "hibernation");
  return provider;
};

export const hibernationRules: Rules<"HIBER"> = {
  "HIBER-01":
    "`hibernate` brings an instance spawned with `hibernation: true` to `hibernated`, and `resume` back to `running`.",
  "HIBER-02": "`hibernate` on a hibernated instance and `resume` on a running one change nothing.",
  "HIBER-03": "An instance spawned without it cannot hibernate: INVALID_STATE with effect `none`.",
  "HIBER-04": "An unknown instance is NOT_FOUND.",
};

/** Instances that sleep and keep their memory. */
export const hibernationCases: Cases<"hibernation"> = {
  "hibernation.cycle": {
    title: "hibernates and resumes one and the same instance",
    rules: ["HIBER-01"],
    run: async (context) => {
      const instance = await hibernated(context);
      await able(context.provider).resume(instance.id);
      const last = await context.watch(instance.id, (seen) => seen?.status === "running");
      mustEqual("HIBER-01", "the status after resume", last?.status, "running", "Map the remote's states.");
      mustEqual("HIBER-01", "the native id", last?.nativeId, instance.nativeId, "Keep the instance.");
    },
  },
  "hibernation.repeated": {
    title: "changes nothing when asked again",
    rules: ["HIBER-02"],
    run: async (context) => {
      const provider = able(context.provider);
      const { id } = await hibernated(context);
      await context.unchanged("HIBER-02", "a second hibernate", () =>
        mustResolve("HIBER-02", "a second hibernate", () => provider.hibernate(id), "Take it as done."),
      );
      mustEqual("HIBER-02", "the status", (await provider.get(id))?.status, "hibernated", "Take it as done.");
      await provider.resume(id);
      await context.watch(id, (seen) => seen?.status === "running");
      await context.unchanged("HIBER-02", "a second resume", () =>
        mustResolve("HIBER-02", "a second resume", () => provider.resume(id), "Take it as done."),
      );
      mustEqual("HIBER-02", "the status", (await provider.get(id))?.status, "running", "Take it as done.");
    },
  },
  "hibernation.not-asked-for": {
    title: "refuses to hibernate an instance that was not spawned for it",
    rules: ["HIBER-03"],
    run: async ({ provider, spawn, watch, unchanged }) => {
      const { id } = await spawn();
      await watch(id, (seen) => seen?.status === "running");
      await unchanged("HIBER-03", "a refused hibernate", () =>
        mustReject(
          "HIBER-03",
          "hibernate of an instance that was not spawned for it",
          () => able(provider).hibernate(id),
          { codes: ["INVALID_STATE"], effect: "none" },
          "Map the remote's refusal.",
        ),
      );
    },
  },
  "hibernation.unknown": {
    title: "refuses an unknown instance",
    rules: ["HIBER-04"],
    run: async ({ provider, harness }) => {
      for (const operation of ["hibernate", "resume"] as const) {
        await mustReject(
          "HIBER-04",
          `${operation} of an unknown instance`,
          () => able(provider)[operation](harness.unknownId),
          { codes: ["NOT_FOUND"], effect: "none" },
          "Map the remote's not-found.",
        );
      }
    },
  },
  "hibernation.listed": {
    title: "goes on listing an instance that hibernates",
    rules: ["HIBER-01", "LIST-01"],
    run: async (context) => {
      const { id } = await hibernated(context);
      // A listing may lag behind what one instance shows.
      await context.settle();
      const found = (await context.provider.list({ status: ["hibernated"] })).map((instance) => instance.id);
      mustEqual("LIST-01", "list({ status: hibernated })", found, [id], "It still costs money: show it.");
      const all = (await context.provider.list()).map((instance) => instance.id);
      mustEqual("LIST-01", "list()", all, [id], "It still costs money: show it.");
    },
  },
};

async function hibernated(context: CaseContext): Promise<Instance> {
  const provider = able(context.provider);
  const instance = await context.spawn({ hibernation: true });
  await context.watch(instance.id, (seen) => seen?.status === "running");
  await provider.hibernate(instance.id);
  const last = await context.watch(instance.id, (seen) => seen?.status === "hibernated");
  must(last?.status === "hibernated", "HIBER-01", `it is ${last?.status}`, "Map the remote's states.");
  return instance;
}
