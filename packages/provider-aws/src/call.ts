import { abortError, type ErrorEffect, isProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { type Refusal, refusals, withEffect } from "@slipway/provider-kit/errors";

export type { Call } from "@slipway/provider-kit/driver";

export const PROVIDER = "aws";

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);

/**
 * What a call does once it has changed something: whatever fails there, the change is made, and the error says so.
 * `done` begins its message, as "the instance is there".
 */
export function afterWrite<T>(call: Call, done: string, work: () => Promise<T>): Promise<T> {
  return atLeast("applied", call, done, work);
}

/**
 * The reads that find out what a write came to that EC2 refused because of another one, as a repeated launch over a
 * quota: where they fail it is unknown whether something is there. `refused` begins the message.
 */
export function afterRefusal<T>(call: Call, refused: string, work: () => Promise<T>): Promise<T> {
  return atLeast("unknown", call, refused, work);
}

const CERTAINTY: readonly ErrorEffect[] = ["none", "unknown", "applied"];

async function atLeast<T>(
  effect: "applied" | "unknown",
  { operation, signal }: Call,
  said: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw abortError(signal, { provider: PROVIDER, operation, effect });
    if (!isProviderError(error) || CERTAINTY.indexOf(error.effect) >= CERTAINTY.indexOf(effect)) throw error;
    // That the key is another's is an answer.
    if (effect === "unknown" && error.code === "CONFLICT") throw error;
    throw withEffect(error, effect, `${said}, but: ${error.message}`);
  }
}

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
      throw refusal("INTERNAL", call.operation, "AWS answered without the list that was asked for");
    items.push(...found);
    token = answer.NextToken;
    if (token === undefined || token === "") return items;
  }
  throw refusal("INTERNAL", call.operation, `a listing of AWS did not end after ${MOST_PAGES} pages`);
}
