import { parseArgs } from "node:util";

/** Their jobs run at the same time, beside those of the rounds before: the cluster has 24 CPUs. */
const MAX_AT_ONCE = 8;

export interface Settings {
  readonly rounds: number;
  readonly seed: number;
  readonly atOnce: number;
}

/** From the command line; the process ends with the usage if it is wrong. */
export function settings(): Settings {
  try {
    const number = (fallback: string) => ({ type: "string", default: fallback }) as const;
    const options = { rounds: number("20"), seed: number("1"), "at-once": number("4") };
    const { values } = parseArgs({ options });
    const [rounds, seed, atOnce] = [Number(values.rounds), Number(values.seed), Number(values["at-once"])];
    const isRight = [rounds, atOnce].every((one) => Number.isInteger(one) && one >= 1) && atOnce <= MAX_AT_ONCE;
    if (isRight && Number.isInteger(seed)) return { rounds, seed, atOnce };
  } catch {
    // An option that is not known: the usage says which are.
  }
  console.error(
    `usage: soak --rounds <whole number of at least 1> --seed <whole number> --at-once <whole number up to ${MAX_AT_ONCE}>`,
  );
  process.exit(2);
}
