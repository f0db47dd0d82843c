import { expect, test } from "vitest";
import { failure, lambdaWorld } from "./world.ts";

/** The catalogue with other prices; null leaves the price out. */
function priced(cents: Readonly<Record<string, number | null>>) {
  const { emulator, another } = lambdaWorld();
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await emulator.fetch(input, init);
    if (!String(input).endsWith("/instance-types")) return answer;
    const { data } = (await answer.json()) as {
      readonly data: Record<string, { readonly instance_type: { price_cents_per_hour?: number | undefined } }>;
    };
    for (const [name, price] of Object.entries(cents)) {
      const type = data[name]?.instance_type;
      if (type !== undefined) type.price_cents_per_hour = price ?? undefined;
    }
    return Response.json({ data });
  };
  return another({ runtime: { clock: emulator.clock, fetch } });
}

const A10 = "gpu_1x_a10";
const GPU = { gpu: { count: 1 } } as const;

test.each([0, null])("a price of %s is not the cheapest", async (price) => {
  const [first] = await priced({ gpu_1x_a100: price }).placements(GPU);
  expect(first?.spec).not.toBe("gpu_1x_a100");
});

test.each([0, null])("a cap on a machine whose price is %s is refused, with what to do", async (price) => {
  const error = await failure(priced({ [A10]: price }).spawn({ spec: A10, key: "job", maxUsdPerHour: 5 }));
  expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(error.message).toMatch(/does not tell the price of gpu_1x_a10/);
  expect(error.hint).toMatch(/without maxUsdPerHour/);
});

test("a cap takes the cheapest of known price, whatever is free of charge by mistake", async () => {
  const instance = await priced({ gpu_1x_a100: 0 }).spawn({ ...GPU, key: "job", maxUsdPerHour: 1 });
  expect(instance.spec).toBe(A10);
});
