import { type Call, refusal } from "../call.ts";

/** Pages can be empty and still be followed by another; a remote that never ends them is not believed for ever. */
const MOST_PAGES = 1000;

/**
 * All items of a listing: asks for page after page until there is no token. A failed page fails the whole, and so does
 * one that holds no list at all: an answer that lost it must not mean that there is nothing.
 */
export async function everyPage<Page extends { readonly NextToken?: string | undefined }, Item>(
  call: Call,
  ask: (token: { readonly NextToken?: string }) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[] | undefined,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let token: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await ask(token === undefined ? {} : { NextToken: token });
    const found = itemsOf(answer);
    if (found === undefined)
      throw refusal("INTERNAL", call.operation, "EC2 answered without the list that was asked for");
    items.push(...found);
    token = answer.NextToken;
    if (token === undefined || token === "") return items;
  }
  throw refusal("INTERNAL", call.operation, `a listing of EC2 did not end after ${MOST_PAGES} pages`);
}
