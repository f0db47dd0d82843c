// What no module does, tests included.
const everywhere = (name, read, todo) => ({
  name,
  *check(tree) {
    for (const file of tree.modules)
      for (const found of read(tree.module(file))) yield { file, line: found.line, todo: todo(found) };
  },
});

export const sourceRules = [
  everywhere(
    "syntax",
    (module) => module.unreadable,
    ({ what }) => `this does not parse: ${what}`,
  ),
  everywhere(
    "any",
    (module) => module.anys,
    () => "give it its type: unknown, never, or the real one",
  ),
  everywhere(
    "ts-comment",
    (module) => module.tsComments,
    ({ what }) => `no ${what}: @ts-expect-error says what is expected, and fails when it is gone`,
  ),
  everywhere(
    "focused",
    (module) => module.focused,
    ({ what }) => `take ${what} away: the whole suite runs, and an idea for a test is not one`,
  ),
  everywhere(
    "error-identity",
    (module) => module.errorIdentity,
    () => "ask isProviderError(): instanceof fails where a second copy of core is loaded",
  ),
  {
    name: "top-level-await",
    *check(tree) {
      for (const file of tree.files.filter((name) =>
        /^packages\/[^/]+\/(?:src|emulator)\/.*\.[mc]?[jt]sx?$/.test(name),
      )) {
        for (const { line } of tree.module(file).topLevelAwaits) {
          yield { file, line, todo: "no await outside a function: require() of this package would fail" };
        }
      }
    },
  },
];
