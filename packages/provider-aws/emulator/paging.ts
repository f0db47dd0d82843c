import { refuse, refuseValue } from "./answers.ts";

interface Page {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

const MOST = 1_000;
const FEWEST = 5;

/** One page of a list, and the token of the next where there is one. A token is good for the same list only. */
export function paged<T>(
  list: string,
  items: readonly T[],
  { MaxResults, NextToken }: Page,
  fewest: number = FEWEST,
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  if (MaxResults !== undefined && (MaxResults < fewest || MaxResults > MOST)) {
    refuseValue(MaxResults, "maxResults", `Expecting a value between ${fewest} and ${MOST}.`);
  }
  const start = NextToken === undefined ? 0 : startOf(list, NextToken);
  const end = start + (MaxResults ?? MOST);
  return {
    items: items.slice(start, end),
    nextToken: end < items.length ? Buffer.from(`${list} ${end}`).toString("base64url") : undefined,
  };
}

function startOf(list: string, token: string): number {
  const [name, start = ""] = Buffer.from(token, "base64url").toString().split(" ");
  if (name !== list || !/^\d+$/.test(start)) return refuse("InvalidNextToken", "The specified NextToken is not valid.");
  return Number(start);
}
