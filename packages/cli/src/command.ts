import type { PortMapping } from "@slipway/core";
import { type Command, InvalidArgumentError } from "commander";
import { parseByteSize, parseDuration } from "./quantities.ts";
import type { CommonFlags, Session } from "./session.ts";

/** What a command does. It answers an exit code where 0 does not say it all. */
export type Action<Flags> = (
  session: Session,
  args: readonly string[],
  flags: Flags & CommonFlags,
) => Promise<number | void>;

/** Runs the action of the command that was chosen, in a session made from its flags. */
export type Runner = <Flags>(command: Command, action: Action<Flags>) => void;

/** A command's file: its arguments and options, and what is done with them. */
export type Configure = (command: Command, run: Runner) => void;

/** The options of every command, so that they may stand anywhere behind its name. */
export function addCommonOptions(command: Command): Command {
  return command
    .optionsGroup("General options:")
    .option("--provider <provider>", "the provider; the default is slipway.config's, else local")
    .option("--timeout <duration>", "how long the call may take, as 90s or 15m", timeout)
    .option("--json", "one JSON document on stdout, errors as JSON on stderr")
    .option("--verbose", "what the providers do, on stderr");
}

/** Parsers of option values. What they throw, commander reports with the option's name. */
export function duration(text: string): number {
  return parseDuration(text) ?? refuse("It must be a time as 90s, 15m, 2h or 7d.");
}

// Timers count to 2^31 - 1 milliseconds; a longer one would be over at once.
const LONGEST_TIMEOUT_MS = 24 * 86_400_000;

function timeout(text: string): number {
  const ms = duration(text);
  return ms <= LONGEST_TIMEOUT_MS ? ms : refuse("It must be at most 24d.");
}

export function byteSize(text: string): number {
  return parseByteSize(text) ?? refuse("It must be a size as 512M, 4G or 10GB.");
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) && value > 0 ? value : refuse("It must be a number above 0.");
}

export function notEmpty(text: string): string {
  return text === "" ? refuse("It must not be empty.") : text;
}

/** An option that may stand several times. */
export function several(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), notEmpty(text)];
}

export function wholeNumber(text: string): number {
  return /^[1-9]\d{0,2}$|^1000$/.test(text) ? Number(text) : refuse("It must be a whole number, 1 to 1000.");
}

/** `name=value`, several times; a later one replaces an earlier of the same name. */
export function assignments(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  // The text itself is not repeated: it may be a secret with its name forgotten.
  if (at < 1) return refuse("It must be name=value.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** `host:node`, as `8080:80` or `5353:53/udp`; several times. */
export function portMapping(text: string, before: readonly PortMapping[] | undefined): readonly PortMapping[] {
  const match = /^(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  const [hostPort, containerPort] = [Number(match?.[1]), Number(match?.[2])];
  const isPort = (port: number): boolean => port >= 1 && port <= 65_535;
  if (!isPort(hostPort) || !isPort(containerPort)) return refuse("It must be host:node, as 8080:80 or 5353:53/udp.");
  return [...(before ?? []), { hostPort, containerPort, ...(match?.[3] === "udp" ? { protocol: "udp" } : {}) }];
}

/** A parser that takes certain words; the shell completes them. */
export type WordParser<Parsed, Before> = ((text: string, before: Before) => Parsed) & {
  readonly words: readonly string[];
};

/** One of a list of words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): WordParser<Word, unknown> {
  const parse = (text: string): Word =>
    words.find((word) => word === text) ?? refuse(`It must be one of ${words.join(", ")}.`);
  return Object.assign(parse, { words });
}

/** As `oneOf`, for an option that may stand several times. */
export function someOf<const Word extends string>(
  ...words: readonly Word[]
): WordParser<readonly Word[], readonly Word[] | undefined> {
  const one = oneOf(...words);
  const parse = (text: string, before: readonly Word[] | undefined): readonly Word[] => [
    ...(before ?? []),
    one(text, undefined),
  ];
  return Object.assign(parse, { words });
}

function refuse(sentence: string): never {
  throw new InvalidArgumentError(sentence);
}
