import { usageRefusal } from "./answer.ts";

/** One option of a verb. */
export interface OptionSpec {
  readonly names: readonly string[];
  /** What stands after it; absent for a switch. */
  readonly value?: "text" | "int" | readonly string[];
}

export interface VerbSpec {
  readonly options: readonly OptionSpec[];
  /** What a missing first word is called. Absent: none is needed. */
  readonly needs?: readonly string[];
  /** The most words; any number if absent. */
  readonly most?: number;
  /** After so many words nothing is read as an option any more. */
  readonly restFrom?: number;
}

/** By the long name of the option. */
export interface Parsed {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

/** Strict, as the parser of the real command: an unknown option, a missing value or word, and one too many are refused. */
export function parseArguments(verb: string, spec: VerbSpec, args: readonly string[]): Parsed {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const queue = [...args];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (words.length === spec.restFrom) {
      words.push(word, ...queue.splice(0));
      break;
    }
    if (word === "--") words.push(...queue.splice(0));
    else if (!word.startsWith("-") || word === "-") words.push(word);
    else takeOption(verb, spec, word, queue, values);
  }
  const missing = spec.needs?.[words.length];
  if (missing !== undefined) throw usageRefusal(verb, `Missing expected argument '<${missing}>'`);
  const surplus = words.slice(spec.most ?? words.length);
  if (surplus.length === 1) throw usageRefusal(verb, `Unexpected argument '${surplus[0]}'`);
  if (surplus.length > 1) {
    const named = surplus.map((each) => `'${each}'`).join(", ");
    throw usageRefusal(verb, `${surplus.length} unexpected arguments: ${named}`);
  }
  return { values, words };
}

function takeOption(
  verb: string,
  { options }: VerbSpec,
  word: string,
  queue: string[],
  values: Map<string, string[]>,
): void {
  const cut = word.startsWith("--") ? word.indexOf("=") : -1;
  const flag = cut === -1 ? word : word.slice(0, cut);
  const option = options.find(({ names }) => names.includes(flag));
  if (option === undefined) return takeSwitches(verb, options, word, queue);
  const name = option.names.find((each) => each.startsWith("--")) ?? flag;
  const found = values.get(name) ?? [];
  values.set(name, found);
  if (option.value === undefined) {
    found.push("");
    return;
  }
  const value = cut === -1 ? queue.shift() : word.slice(cut + 1);
  const shown = option.names.map((each) => (each === flag ? each : "")).find((each) => each !== "") ?? flag;
  if (value === undefined || (cut === -1 && value.startsWith("--"))) {
    throw usageRefusal(verb, `Missing value for '${shown} <${name.replace(/^-+/, "")}>'`);
  }
  const fits =
    option.value === "text" || (option.value === "int" ? /^-?\d+$/.test(value) : option.value.includes(value));
  if (!fits) {
    const all = option.names.toSorted((a, b) => a.length - b.length).join(", ");
    throw usageRefusal(verb, `The value '${value}' is invalid for '${all} <${name.replace(/^-+/, "")}>'`);
  }
  found.push(value);
}

/** `-it` is `-i -t`, where both are switches. */
function takeSwitches(verb: string, options: readonly OptionSpec[], word: string, queue: string[]): void {
  const letters = /^-[a-z]{2,}$/.test(word)
    ? word
        .slice(1)
        .split("")
        .map((letter) => `-${letter}`)
    : [];
  const isSwitch = (letter: string): boolean =>
    options.some(({ names, value }) => value === undefined && names.includes(letter));
  if (letters.length === 0 || !letters.every(isSwitch)) throw usageRefusal(verb, `Unknown option '${word}'`);
  queue.unshift(...letters);
}

/** The last value of an option. */
export function valueOf({ values }: Parsed, name: string): string | undefined {
  return values.get(name)?.at(-1);
}

export function allOf({ values }: Parsed, name: string): readonly string[] {
  return values.get(name) ?? [];
}
