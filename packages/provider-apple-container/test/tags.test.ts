import { nameFor } from "@slipway/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatId, newGeneration, parseId } from "../src/context.ts";
import { decodeLabel, encodeLabel, labelsFor, labelsOf, tagsOf } from "../src/tags.ts";

const tags = { owner: "t", key: "k", specHash: "sha256:0", generation: "0123456789ab" };
// What no caller's label may begin with is refused before, and NUL cannot stand in an argument.
const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
const name = text.filter((value) => value !== "" && !/^(dev\.slipway\.|com\.apple\.container\.)/.test(value));

/** As the command reads a label: at most two pieces, empty ones dropped. */
const asTheCommandReads = (label: string): readonly [string, string] | null => {
  const pieces = label.split("=").filter((piece) => piece !== "");
  return pieces.length > 2 ? null : [pieces[0] ?? "", pieces[1] ?? ""];
};

test("any label passes the command's reading and comes back", () => {
  fc.assert(
    fc.property(fc.dictionary(name, text, { noNullPrototype: true }), text, (labels, key) => {
      const written = labelsFor({ ...tags, key }, labels);
      const read = Object.entries(written).map(([label, value]) => asTheCommandReads(`${label}=${value}`));
      const configuration = {
        labels: Object.fromEntries(read.map((pair) => pair ?? ["refused", ""])),
        mounts: [],
        publishedPorts: [],
      };
      expect(labelsOf({ configuration })).toEqual(labels);
      expect(tagsOf({ configuration })).toEqual({ ...tags, key });
    }),
  );
});

test("encoding is undone, also of what looks encoded", () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(decodeLabel(encodeLabel(value))).toBe(value);
    }),
  );
  expect(decodeLabel(encodeLabel("%253D=%"))).toBe("%253D=%");
});

test("an id is read back, and the name of an unmanaged machine is never cut", () => {
  const generation = newGeneration();
  const ours = nameFor("t", "k");
  expect(parseId(formatId(ours, generation))).toEqual({ name: ours, generation });
  expect(parseId(ours)).toEqual({ name: ours, generation: null });
  expect(parseId(`web.${generation}`)).toEqual({ name: `web.${generation}`, generation: null });
});
