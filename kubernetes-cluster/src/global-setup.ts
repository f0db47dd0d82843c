import type { TestProject } from "vitest/node";
import { changedSettings, kernelSettings } from "./kernel-settings.ts";
import { MINOR_VARIABLE, startCluster, type TestCluster } from "./test-cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly cluster: TestCluster;
    /** As they were before the cluster was started. */
    readonly settingsBefore: Readonly<Record<string, string>>;
  }
}

/** One cluster for all files. Each case has a namespace of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const settingsBefore = kernelSettings();
  const { close, restartApiServer: _kept, ...cluster } = await startCluster(process.env[MINOR_VARIABLE]);
  project.provide("cluster", cluster);
  project.provide("settingsBefore", settingsBefore);
  return async () => {
    await close();
    const changed = changedSettings(settingsBefore);
    if (changed.length > 0) throw new Error(`the cluster has changed settings of the kernel: ${changed.join("; ")}`);
  };
}
