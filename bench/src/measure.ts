/** Something that is measured beside others. */
export interface Contender {
  readonly name: string;
  /** Does it once and answers what it took, in the suite's unit. */
  readonly sample: () => Promise<number>;
}

/**
 * Samples of every contender by name. They take turns, and each round begins with another one, so that what the machine
 * does meanwhile falls on all alike. The first round only warms up.
 */
export async function interleaved(
  contenders: readonly Contender[],
  rounds: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length];
      if (contender === undefined) continue;
      const taken = await contender.sample();
      if (round > 0) samples.get(contender.name)?.push(taken);
    }
  }
  return samples;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Runs it and answers how many milliseconds it took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
