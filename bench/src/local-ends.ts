import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detectIsolation } from "@slipway/provider-kit/sandbox";
import { local } from "@slipway/provider-local";
import { startBareSandbox } from "./bare-sandbox.ts";
import { timed } from "./measure.ts";
import { atMost, type Suite } from "./report.ts";

const AIM_MS = 2_000;
const AT_ONCE = 8;

/** Many local instances that are ended at once, beside as many bare sandboxes that are killed. */
export async function localEnds(quick: boolean): Promise<Suite> {
  const many = quick ? 40 : 200;
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-ends-"));
  try {
    const isolation = await detectIsolation();
    const bare: (() => Promise<void>)[] = [];
    for (let at = 0; at < many; at += 1) bare.push(await startBareSandbox(isolation));
    const killed = await timed(() => Promise.all(bare.map((end) => end())));
    const provider = local({ owner: "bench", stateDirectory: join(directory, "state") });
    const ids: string[] = [];
    while (ids.length < many) {
      const next = Array.from({ length: Math.min(AT_ONCE, many - ids.length) }, () => provider.spawn({}));
      ids.push(...(await Promise.all(next)).map(({ id }) => id));
    }
    const ended = await timed(() => Promise.all(ids.map((id) => provider.terminate(id))));
    const left = (await provider.list()).filter(({ status }) => status !== "terminated");
    if (left.length > 0) throw new Error(`${left.length} of ${many} instances are left`);
    return {
      title: `${many} local instances ended at once, isolation ${isolation.isolation}`,
      unit: "ms",
      rows: [
        { name: "bare sandboxes, killed", median: killed, ratio: 1 },
        { name: "@slipway/provider-local", median: ended, ratio: ended / killed, over: ended - killed },
      ],
      aims: [atMost("the ends of 200, by their number", (ended * 200) / many, AIM_MS)],
      notes: [],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
