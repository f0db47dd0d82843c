// How many files of a package stand in one row, each of which loads the next.
import path from "node:path";

export const chainRules = [
  {
    name: "chain",
    *check(tree, { chains }) {
      for (const member of tree.packages.filter(({ folder }) => folder.startsWith("packages/"))) {
        const chain = longestChain(tree, member);
        if (chain.length <= chains.limit) continue;
        const names = chain.map((file) => file.slice(member.folder.length + 1)).join(" > ");
        const todo = `${chain.length} files load each other in a row, where ${chains.limit} may: fold two, or turn an import round: ${names}`;
        yield { file: chain[0], line: 1, todo };
      }
    },
  },
];

/** The longest such row. Types are erased, and what is loaded on first use starts anew. */
export function longestChain(tree, member) {
  const chains = new Map();
  const from = (file) => {
    const known = chains.get(file);
    if (known !== undefined) return known;
    // A circle ends where it began.
    chains.set(file, []);
    const chain = [file, ...longest(loadedBy(tree, file).map(from))];
    chains.set(file, chain);
    return chain;
  };
  return longest(tree.sources(member).map(from));
}

function longest(chains) {
  return chains.reduce((best, chain) => (chain.length > best.length ? chain : best), []);
}

function loadedBy(tree, file) {
  return tree
    .module(file)
    .imports.filter(({ kind, specifier }) => kind === "static" && specifier.startsWith("."))
    .map(({ specifier }) => path.posix.join(path.posix.dirname(file), specifier))
    .filter((target) => tree.has(target));
}
