import fc from "fast-check";
import { expect, test } from "vitest";
import { gcpWorld } from "./world.ts";

const key = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 128,
});
const labels = fc.dictionary(fc.string({ minLength: 1, maxLength: 64 }), fc.string({ maxLength: 128 }), {
  maxKeys: 64,
  noNullPrototype: true,
});

test("key, labels, name and expiry come back as they were given, whatever they hold", async () => {
  await fc.assert(
    fc.asyncProperty(key, labels, fc.string({ minLength: 1, maxLength: 128 }), async (given, tags, name) => {
      const { provider, another } = gcpWorld();
      const expiresAt = "2030-01-01T00:00:00Z";
      const { id } = await provider.spawn({ key: given, labels: tags, name, expiresAt });
      const [found] = await another().list({ keys: [given] });
      expect(found).toMatchObject({ id, key: given, name, expiresAt, owner: "tests" });
      expect(found?.labels).toEqual(tags);
    }),
    { numRuns: 50, seed: 20_261_129 },
  );
});
