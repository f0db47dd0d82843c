import { pythonWithClients } from "./index.ts";

/** For vitest: installs before the first test, since it takes longer than a test may. */
export default async function setup(): Promise<void> {
  // Those that need it fail with the reason; the others of the same run do without.
  await pythonWithClients().catch((error: unknown) => {
    process.stderr.write(`The clients in Python cannot be installed: ${String(error)}\n`);
  });
}
