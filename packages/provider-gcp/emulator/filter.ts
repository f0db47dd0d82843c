import { refuse } from "./answers.ts";

/** What a filter asks of a resource as it is shown. */
export type Matches = (resource: Readonly<Record<string, unknown>>) => boolean;

/** Google's two grammars, which must not be mixed; what is not understood is refused, never ignored. */
export function filterOf(text: string | null): Matches {
  if (text === null || text.trim() === "") return () => true;
  if (/^\s*\(?\s*\S+\s+(eq|ne)\s/.test(text)) return regexFilter(text);
  const tokens = tokensOf(text);
  const matches = anyOf(tokens);
  if (tokens.length > 0) invalid(text);
  return matches;
}

function invalid(text: string): never {
  return refuse(400, "invalid", `Invalid value for field 'filter': '${text}'. Invalid list filter expression.`);
}

function tokensOf(text: string): string[] {
  const pattern = /\s*("(?:[^"\\]|\\.)*"|!=|=|:|\(|\)|[^\s()"=:!]+)/gy;
  const tokens: string[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    tokens.push(match[1] ?? "");
    end = match.index + match[0].length;
  }
  if (text.slice(end).trim() !== "") invalid(text);
  return tokens;
}

function anyOf(tokens: string[]): Matches {
  const parts = [allOf(tokens)];
  while (tokens[0] === "OR") {
    tokens.shift();
    parts.push(allOf(tokens));
  }
  return (resource) => parts.some((part) => part(resource));
}

function allOf(tokens: string[]): Matches {
  const parts = [oneOf(tokens)];
  while (tokens[0] === "AND" || (tokens[0] !== undefined && tokens[0] !== "OR" && tokens[0] !== ")")) {
    if (tokens[0] === "AND") tokens.shift();
    parts.push(oneOf(tokens));
  }
  return (resource) => parts.every((part) => part(resource));
}

function oneOf(tokens: string[]): Matches {
  const first = tokens.shift() ?? "";
  if (first === "(") {
    const inner = anyOf(tokens);
    if (tokens.shift() !== ")") invalid("(");
    return inner;
  }
  const operator = tokens.shift() ?? "";
  const value = tokens.shift() ?? "";
  if (!/^[a-zA-Z][\w.-]*$/.test(first) || value === "" || !["=", "!=", ":"].includes(operator))
    invalid(`${first} ${operator} ${value}`);
  const wanted = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
  if (operator === ":") {
    if (wanted !== "*") invalid(`${first}:${wanted}`);
    return (resource) => fieldOf(resource, first) !== undefined;
  }
  return (resource) => (fieldOf(resource, first) === wanted) === (operator === "=");
}

/** `name eq pattern`: the pattern is of the whole field. */
function regexFilter(text: string): Matches {
  const [, field = "", operator, pattern = ""] =
    /^\s*\(?\s*([\w.]+)\s+(eq|ne)\s+("?[^")\s]+"?)\s*\)?\s*$/.exec(text) ?? [];
  if (field === "") invalid(text);
  const regex = new RegExp(`^(?:${pattern.replaceAll('"', "")})$`);
  return (resource) => regex.test(fieldOf(resource, field) ?? "") === (operator === "eq");
}

function fieldOf(resource: Readonly<Record<string, unknown>>, path: string): string | undefined {
  let value: unknown = resource;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, name);
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}
