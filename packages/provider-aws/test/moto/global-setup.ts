import type { TestProject } from "vitest/node";
import { startMoto } from "./moto-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    readonly motoUrl: string;
  }
}

/** One moto for the whole run; each file of tests begins with an empty one. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const { url, close } = await startMoto();
  provide("motoUrl", url);
  return close;
}
