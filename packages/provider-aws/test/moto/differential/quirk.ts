import type { Difference } from "./outcome.ts";

type Input = Readonly<Record<string, unknown>>;

/** A known way in which moto is not EC2. */
export interface Quirk {
  readonly id: string;
  /** The actions at which it shows. */
  readonly calls: readonly string[];
  /** When it shows, in words. */
  readonly condition: string;
  /** Where in the answer, as differences name it, or `error`. */
  readonly field: RegExp;
  readonly when?: (difference: Difference, input: Input) => boolean;
  /** What documents it: a paragraph of the fact sheet on AWS; `new` where it was first seen here, with moto 5.2.5. */
  readonly paragraph: string;
  /** The two worlds are not alike any more: what comes after is not compared. */
  readonly parts?: true;
}

/** EC2 refuses with one code what moto refuses with another, or (`none`) accepts. */
export function errors(emulator: string, moto: string): (difference: Difference) => boolean {
  return (one) => one.emulator === emulator && one.moto === moto;
}

export function accepted(...emulator: readonly string[]): (difference: Difference) => boolean {
  return (one) => emulator.includes(String(one.emulator)) && one.moto === "none";
}
