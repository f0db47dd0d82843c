import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Contender, interleaved } from "./measure.ts";
import { atMost, medianOf, rowsOf, type Suite } from "./report.ts";

const EMPTY = "empty module";
const OURS = "@slipway/core";
const OTHERS = ["@ai-sdk/provider", "computesdk"] as const;
const run = promisify(execFile);

/** A fresh process each time; the clock runs inside it, over the import alone. Plain JavaScript, so that no types are stripped in it. */
const fresh = (name: string, specifier: string, measure: "wall" | "cpu" = "wall"): Contender => ({
  name,
  sample: async () => {
    const { stdout } = await run(process.execPath, [join(import.meta.dirname, "import-probe.mjs"), specifier]);
    const taken: unknown = Reflect.get(Object(JSON.parse(stdout)), measure);
    if (typeof taken !== "number" || !(taken > 0)) {
      throw new Error(`the probe of ${specifier} printed ${JSON.stringify(stdout)}`);
    }
    return taken;
  },
});

/** What a program pays for the import, beside two packages that do the same kind of work. */
export async function importTime(quick: boolean): Promise<Suite> {
  const contenders = [fresh(EMPTY, "./empty-module.mjs"), ...[OURS, ...OTHERS].map((name) => fresh(name, name))];
  const rows = rowsOf(await interleaved(contenders, quick ? 5 : 41), EMPTY);
  const over = (name: string): number => medianOf(rows, name) - medianOf(rows, EMPTY);
  const lower = Math.min(...OTHERS.map(over));
  return {
    title: "import, in a fresh process",
    unit: "ms",
    rows,
    aims: [atMost(`${OURS} over an empty module, against the lower of the others`, over(OURS), lower)],
    notes: [],
  };
}

const AWS = "@slipway/provider-aws";
const SDK = "@aws-sdk/client-ec2";

/** What a program pays that has the AWS provider, before it calls AWS; beside the SDK that is then loaded. */
export async function awsImportTime(quick: boolean): Promise<Suite> {
  const contenders = [fresh(EMPTY, "./empty-module.mjs"), fresh(AWS, AWS), fresh(SDK, SDK)];
  const rows = rowsOf(await interleaved(contenders, quick ? 3 : 21), EMPTY);
  return {
    title: "import of the AWS provider, in a fresh process",
    unit: "ms",
    rows,
    aims: [atMost(`${AWS}, against ${SDK}`, medianOf(rows, AWS), medianOf(rows, SDK))],
    notes: [],
  };
}

/** CPU milliseconds over an empty module that the import of a provider may take. */
const PROVIDERS = { lambda: 12, runpod: 12, local: 25, aws: 25 } as const;

/** What every start of a program pays for a provider, in CPU time: it falls less than wall time on what else the machine does. */
export async function providerImports(quick: boolean): Promise<Suite> {
  const names = Object.keys(PROVIDERS);
  const contenders = [
    fresh(EMPTY, "./empty-module.mjs", "cpu"),
    ...names.map((name) => fresh(name, `@slipway/provider-${name}`, "cpu")),
  ];
  const rows = rowsOf(await interleaved(contenders, quick ? 5 : 41), EMPTY);
  return {
    title: "import of a provider, in a fresh process, CPU time",
    unit: "ms",
    rows,
    aims: Object.entries(PROVIDERS).map(([name, limit]) =>
      atMost(`${name} over an empty module`, medianOf(rows, name) - medianOf(rows, EMPTY), limit),
    ),
    notes: [],
  };
}
