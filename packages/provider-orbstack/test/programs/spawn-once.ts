// One spawn over the program that SLIPWAY_ORBCTL names: to be killed in the middle of it.
import { orbstack } from "../../src/index.ts";

const provider = orbstack({ owner: "t", variables: process.env });
const bootstrap = { script: "echo ran >>/var/lib/slipway/runs" };

provider.spawn({ key: "a", bootstrap }).then(
  ({ id }) => process.stdout.write(`${id}\n`),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
