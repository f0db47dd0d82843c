import type { TestProject } from "vitest/node";
import { adminOf } from "./admin.ts";
import { startStandInNode } from "./stand-in-node.ts";
import { startCluster, type TestCluster } from "./test-cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly cluster: TestCluster;
  }
}

/** One cluster for all files. Each case has a namespace of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { close, ...cluster } = await startCluster();
  const node = await startStandInNode(adminOf(cluster));
  project.provide("cluster", cluster);
  return async () => {
    await node.close();
    await close();
  };
}
