import type { CommandCall } from "./run-process.ts";

// A shorter "secret" stands in too many arguments by chance.
const SHORTEST_SECRET = 6;

/**
 * What is wrong with a call before anything runs, or null. An argument list is open to every user of the machine, so a
 * secret in it is refused: it goes by stdin, by the environment, or in a file.
 */
export function invalidCall({ file, args, environment, secrets, cwd }: CommandCall): string | null {
  if (typeof file !== "string" || file === "") return "the program must be a text that is not empty";
  if (args.some((argument) => typeof argument !== "string")) return "every argument must be a text";
  const texts = [file, ...args, cwd ?? "", ...Object.entries(environment).flat()];
  if (texts.some((text) => typeof text !== "string")) return "every variable of the environment must be a text";
  if (texts.some((text) => text.includes("\0"))) return "an argument, a variable or the directory holds a NUL";
  if (Object.keys(environment).some((name) => name === "" || name.includes("="))) {
    return "a variable of the environment has a name that is empty or holds an equals sign";
  }
  const known = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  const at = args.findIndex((argument) => known.some((secret) => argument.includes(secret)));
  return at === -1 ? null : `argument ${at + 1} holds a secret: give it by stdin, environment or file`;
}
