// The sweep on a real Slurm that is started for it here, as root, and stopped afterwards. It fails unless every result is
// right and no job is left.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileStore } from "@slipway/control";
import { slurmCluster } from "@slipway/provider-slurm/testing";
import { sweep } from "./sweep.mjs";

const cluster = await slurmCluster();
const directory = mkdtempSync(join(tmpdir(), "slipway-sweep-"));
try {
  const begun = performance.now();
  const { slurmConf } = cluster;
  const { results, left } = await sweep({ slurmConf, partition: "main", store: fileStore(directory) });
  const wrong = [...results].filter(([limit, count]) => count !== primesBelow(limit));
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`${results.size} results in ${seconds} s, ${wrong.length} wrong, ${left.length} jobs left`);
  if (results.size !== 40 || wrong.length > 0 || left.length > 0) process.exitCode = 1;
} finally {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
}

function primesBelow(limit) {
  const isComposite = new Set();
  let count = 0;
  for (let n = 2; n < limit; n += 1) {
    if (isComposite.has(n)) continue;
    count += 1;
    for (let multiple = n * n; multiple < limit; multiple += n) isComposite.add(multiple);
  }
  return count;
}
