import { Refusal } from "./answer.ts";

export interface FlagSpec {
  /** The long name last. */
  readonly names: readonly string[];
  /** It takes a value; else it is a switch. */
  readonly value?: boolean;
}

export interface CommandSpec {
  readonly flags?: readonly FlagSpec[];
  /** Fewest and most words. */
  readonly words: readonly [least: number, most: number];
  /** Flags end at the first word; the rest is taken as it is. */
  readonly verbatim?: boolean;
}

export interface Parsed {
  readonly words: readonly string[];
  /** By the long name. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

const HELP: FlagSpec = { names: ["-h", "--help"] };

/** Strict: an unknown flag, a missing value, a word too many or too few is refused. Flags may follow words. */
export function parseArguments(command: string, spec: CommandSpec, args: readonly string[]): Parsed {
  const flags = [...(spec.flags ?? []), HELP];
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const queue = [...args];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (spec.verbatim === true && !word.startsWith("-")) {
      words.push(word, ...queue.splice(0));
      break;
    }
    // Reported: it takes no separator.
    if (word === "--" && spec.verbatim === true) throw new Refusal("unknown flag: --");
    if (word === "--") words.push(...queue.splice(0));
    else if (!word.startsWith("-") || word === "-") words.push(word);
    else take(flags, word, queue, values);
  }
  if (values.has("--help")) throw new Help(command);
  const [least, most] = spec.words;
  if (words.length < least)
    throw new Refusal(`${command}: requires at least ${least} arg(s), only received ${words.length}`);
  if (words.length > most) throw new Refusal(`${command}: accepts at most ${most} arg(s), received ${words.length}`);
  return { words, values };
}

/** Somebody asked for help: it goes to stdout. */
class Help extends Refusal {
  constructor(command: string) {
    super(command, 0);
    Object.defineProperty(this, "answer", {
      value: { stdout: `Usage:\n  orbctl ${command} [flags]\n`, stderr: "", code: 0 },
    });
  }
}

function take(flags: readonly FlagSpec[], word: string, queue: string[], values: Map<string, string[]>): void {
  const cut = word.startsWith("--") ? word.indexOf("=") : -1;
  const name = cut === -1 ? word : word.slice(0, cut);
  const flag = flags.find(({ names }) => names.includes(name));
  if (flag === undefined) {
    const isShort = !word.startsWith("--");
    throw new Refusal(isShort ? `unknown shorthand flag: '${word.charAt(1)}' in ${word}` : `unknown flag: ${name}`);
  }
  const long = flag.names.at(-1) ?? name;
  const found = values.get(long) ?? [];
  values.set(long, found);
  if (flag.value !== true) {
    const said = cut === -1 ? "true" : word.slice(cut + 1);
    if (!/^(1|t|true|0|f|false)$/i.test(said)) throw new Refusal(`invalid argument "${said}" for "${name}" flag`);
    if (/^(1|t|true)$/i.test(said)) found.push("");
    else values.delete(long);
    return;
  }
  const value = cut === -1 ? queue.shift() : word.slice(cut + 1);
  if (value === undefined) throw new Refusal(`flag needs an argument: ${word}`);
  found.push(value);
}

export function valueOf({ values }: Parsed, name: string): string | undefined {
  return values.get(name)?.at(-1);
}

export function allOf({ values }: Parsed, name: string): readonly string[] {
  return values.get(name) ?? [];
}

export function has({ values }: Parsed, name: string): boolean {
  return values.has(name);
}
