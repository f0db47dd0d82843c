import { expect, test } from "vitest";
import { createsOf, rejection, testWorld } from "./world.ts";

const L4 = "NVIDIA L4";

/** The catalogue with one GPU type whose price is left out, or 0. */
function priced(price: number | null) {
  const world = testWorld();
  const { emulator, another, clock } = world;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await emulator.fetch(input, init);
    if (!String(input).includes("/catalog/gpus")) return answer;
    const { gpus } = (await answer.json()) as { readonly gpus: { readonly id: string; price: object }[] };
    for (const gpu of gpus) if (gpu.id === L4) gpu.price = { secure: price, community: null };
    return Response.json({ gpus });
  };
  return { ...world, provider: another({ runtime: { clock, fetch } }) };
}

test.each([0, null])("a price of %s is not the cheapest", async (price) => {
  const [first] = await priced(price).provider.placements({ gpu: { count: 1 } });
  expect(first?.spec).not.toBe(L4);
});

test.each([0, null])("a cap on a machine whose price is %s is refused, with what to do", async (price) => {
  const { provider, emulator } = priced(price);
  const error = await rejection(provider.spawn({ spec: L4, key: "job", maxUsdPerHour: 5 }));
  expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(error.message).toMatch(/does not tell the price of NVIDIA L4/);
  expect(error.hint).toMatch(/without maxUsdPerHour/);
  expect(createsOf(emulator)).toEqual([]);
});
