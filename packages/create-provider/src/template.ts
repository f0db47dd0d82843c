/** What the lines of a template are chosen by: the transport and the capabilities. */
export type Flags = ReadonlySet<string>;

const DIRECTIVE = /^\s*(?:\/\/|<!--) #(if|else|end)(?: (\w+))?(?: -->)?\s*$/;

/**
 * The lines between `// #if flag` and `// #end` only where the flag is set, those behind `// #else` only where it is not.
 * Directives may be nested; they are lines of their own and do not stay.
 */
export function chooseLines(text: string, flags: Flags): string {
  const open: boolean[] = [];
  const kept: string[] = [];
  for (const line of text.split("\n")) {
    const [, directive, flag = ""] = DIRECTIVE.exec(line) ?? [];
    if (directive === "if") open.push(flags.has(flag));
    else if (directive === "else") open.push(open.pop() !== true);
    else if (directive === "end") open.pop();
    else if (open.every((on) => on)) kept.push(line);
  }
  if (open.length > 0) throw new TypeError("a template has #if without #end");
  return kept.join("\n");
}

/** Puts the texts in the place of their names. A name that is not known stays, and a test sees it. */
export function fill(text: string, values: ReadonlyMap<string, string>): string {
  let filled = text;
  for (const [name, value] of values) filled = filled.replaceAll(name, () => value);
  return filled;
}
