// A parameter sweep: forty jobs, four at a time, each with its own parameter. What a job prints is its result. Stopped and
// started again it goes on where it was: the key of a parameter is the same, so its job is found and not made twice.
import { fileURLToPath } from "node:url";
import { fileStore, launch, terminateAndConfirm, waitForBootstrap } from "@slipway/control";
import { slurm } from "@slipway/provider-slurm";

const COUNT = 40;
const AT_ONCE = 4;

/** What one job computes: how many primes are below its parameter. */
const script = (limit) => `
awk -v limit=${limit} 'BEGIN {
  for (n = 2; n < limit; n++) {
    isPrime = 1
    for (d = 2; d * d <= n; d++) if (n % d == 0) { isPrime = 0; break }
    count += isPrime
  }
  print "result", limit, count
}'
`;

/** Runs every parameter's job and returns the results by parameter. */
export async function sweep({ slurmConf, partition, store, onResult = () => undefined, signal }) {
  const provider = slurm({ owner: "sweep", slurmConf, partition, timeLimitMinutes: 5 });
  const results = new Map();
  const left = Array.from({ length: COUNT }, (_, index) => (index + 1) * 100);
  const work = async () => {
    for (let limit = left.shift(); limit !== undefined; limit = left.shift()) {
      const request = { key: `primes-below-${limit}`, resources: { cpus: 1 }, bootstrap: { script: script(limit) } };
      const { id } = await launch(provider, request, { store, signal });
      await waitForBootstrap(provider, id, { signal });
      const count = await resultOf(provider, id, signal);
      results.set(limit, count);
      onResult(limit, count);
      await terminateAndConfirm(provider, id, { signal });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { results, left: await provider.list({ status: ["pending", "running"] }) };
}

async function resultOf(provider, id, signal) {
  for await (const line of provider.logs(id, { signal })) {
    const [, count] = /^result \d+ (\d+)$/.exec(line) ?? [];
    if (count !== undefined) return Number(count);
  }
  throw new Error(`${id} printed no result`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => interrupted.abort());
  const { results } = await sweep({
    slurmConf: process.env.SLURM_CONF,
    partition: process.argv[2],
    store: fileStore("sweep-state"),
    onResult: (limit, count) => console.log(`${count} primes are below ${limit}`),
    signal: interrupted.signal,
  });
  console.log(`${results.size} results`);
}
