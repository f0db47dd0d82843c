import { pythonWithClients } from "./index.ts";

/** For vitest: installs before the first test, since it takes longer than a test may. */
export default async function setup(): Promise<void> {
  await pythonWithClients();
}
