import { seededRandom } from "../emulator/random.ts";
import { type ChaosDrift, type ChaosFault, type ChaosPlan, type ChaosTrigger, canBeStale } from "./plan.ts";

/** One call, numbered. */
export interface NumberedCall {
  readonly call: number;
  readonly operation: string;
  readonly nth: number;
}

/** What a plan has for a call. */
export interface Verdict {
  readonly fault: ChaosFault | undefined;
  /** To be called where the fault did not act after all: it is there for the next call again. */
  readonly giveBack: () => void;
  readonly drifts: readonly { readonly drift: ChaosDrift; readonly chance: number }[];
}

export interface Dice {
  readonly number: (operation: string) => NumberedCall;
  readonly decide: (call: NumberedCall) => Verdict;
}

/**
 * Decides at once, before anything is awaited. Chance depends on the seed, the rule, the operation and the number of the
 * call alone, so that one call more of another operation changes nothing for this one.
 */
export function dice(plan: ChaosPlan, seed: number): Dice {
  const counts = new Map<string, number>();
  const used = new Map<ChaosTrigger, number>();
  const use = (rule: ChaosTrigger, by: 1 | -1): void => void used.set(rule, (used.get(rule) ?? 0) + by);

  const applies = (rule: ChaosTrigger, at: NumberedCall, salt: string): boolean =>
    (rule.operation === "*" || rule.operation === at.operation) &&
    (rule.calls === undefined || rule.calls.includes(rule.operation === "*" ? at.call : at.nth)) &&
    (rule.times === undefined || (used.get(rule) ?? 0) < rule.times) &&
    (rule.probability === undefined || chanceOf(seed, salt, at) < rule.probability);

  return {
    number: (operation) => {
      const call = (counts.get("*") ?? 0) + 1;
      const nth = (counts.get(operation) ?? 0) + 1;
      counts.set("*", call).set(operation, nth);
      return { call, operation, nth };
    },
    decide: (at) => {
      const fault = plan.faults?.find(
        (rule, index) =>
          (rule.when !== "stale-read" || canBeStale(at.operation)) && applies(rule, at, `fault ${index}`),
      );
      // Taken at once: two calls at the same time do not get the last one both.
      if (fault !== undefined) use(fault, 1);
      const drifts = (plan.drift ?? []).flatMap((drift, index) => {
        if (!applies(drift, at, `drift ${index}`)) return [];
        use(drift, 1);
        return [{ drift, chance: chanceOf(seed, `target ${index}`, at) }];
      });
      return { fault, giveBack: () => (fault === undefined ? undefined : use(fault, -1)), drifts };
    },
  };
}

function chanceOf(seed: number, salt: string, at: NumberedCall): number {
  // FNV-1a over the words: near texts give far numbers, which a sum would not.
  let hash = 0x811c9dc5;
  for (const character of `${seed} ${salt} ${at.operation} ${at.nth}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return seededRandom(hash).next();
}
