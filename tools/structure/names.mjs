// Names that say nothing, and files that say too much.
export const nameRules = [
  {
    name: "name",
    *check(tree, { names }) {
      const refused = new RegExp(`(?:^|[-_.])(?:${names.refused.join("|")})(?:[-_.]|$)`, "i");
      for (const file of tree.files) {
        const part = file.split("/").find((segment) => refused.test(segment));
        if (part) yield { file, line: 1, todo: `"${part}" says nothing: name it after the one concept it holds` };
      }
    },
  },
  {
    name: "length",
    *check(tree, { lines }) {
      const counted = tree.modules.filter((file) => !file.includes("/test/"));
      for (const file of counted) {
        const count = tree.text(file).trimEnd().split("\n").length;
        if (count > lines.limit)
          yield { file, line: lines.limit + 1, todo: `${count} lines: split it at ${lines.limit}` };
      }
    },
  },
];
