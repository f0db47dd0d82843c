import fc from "fast-check";
import { expect, test } from "vitest";
import { lambdaWorld } from "./world.ts";

const key = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 128,
});
const label = fc.stringMatching(/^[a-z][a-z0-9:-]{1,54}$/).filter((name) => !/^(slipway:|lambda-ai-)/.test(name));
const labels = fc.dictionary(label, fc.string({ maxLength: 128 }), { maxKeys: 32, noNullPrototype: true });

test("key, labels, name and expiry come back as they were given, whatever they hold", async () => {
  await fc.assert(
    fc.asyncProperty(key, labels, fc.string({ minLength: 1, maxLength: 64 }), async (given, tags, name) => {
      const { provider, another } = lambdaWorld();
      const expiresAt = "2030-01-01T00:00:00Z";
      const { id } = await provider.spawn({ spec: "gpu_1x_a10", key: given, labels: tags, name, expiresAt });
      const [found] = await another().list({ keys: [given] });
      expect(found).toMatchObject({ id, key: given, name, expiresAt, owner: "tests" });
      expect(found?.labels).toEqual(tags);
    }),
    { numRuns: 100, seed: 20_261_121 },
  );
});
