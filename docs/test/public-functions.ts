import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** A function that a package exports, as its docstring shows it. */
export interface PublicFunction {
  readonly name: string;
  /** What a program imports it from: `@slipway/core/gpu-names`. */
  readonly from: string;
  /** The code of each `@example`. */
  readonly examples: readonly string[];
}

const packages = fileURLToPath(new URL("../../packages", import.meta.url));

interface Entry {
  readonly from: string;
  readonly file: string;
}

function entriesOf(folder: string): readonly Entry[] {
  const manifest = JSON.parse(readFileSync(join(packages, folder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly private?: boolean;
    readonly exports?: Readonly<Record<string, string | { readonly "@slipway/source"?: string }>>;
  };
  if (manifest.private === true) return [];
  return Object.entries(manifest.exports ?? {}).flatMap(([key, target]) => {
    const source = typeof target === "string" ? undefined : target["@slipway/source"];
    return source === undefined ? [] : [{ from: join(manifest.name, key), file: join(packages, folder, source) }];
  });
}

/** Every function of every entry, each under the first entry that exports it. */
export function publicFunctions(): readonly PublicFunction[] {
  const entries = readdirSync(packages).flatMap(entriesOf);
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      customConditions: ["@slipway/source"],
      allowImportingTsExtensions: true,
      noEmit: true,
      types: [],
    },
  );
  const checker = program.getTypeChecker();
  const seen = new Set<ts.Symbol>();
  return entries.flatMap(({ from, file }) => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${file} is no module`);
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (seen.has(symbol) || !isFunction(symbol)) return [];
      seen.add(symbol);
      return [{ name: exported.name, from, examples: examplesOf(symbol) }];
    });
  });
}

/** Told by how it is declared: to ask for its type would check every package. */
function isFunction(symbol: ts.Symbol): boolean {
  const declared = symbol.valueDeclaration;
  if (declared === undefined) return false;
  if (ts.isFunctionDeclaration(declared)) return true;
  if (!ts.isVariableDeclaration(declared)) return false;
  const { type, initializer } = declared;
  return (
    (type !== undefined && ts.isFunctionTypeNode(type)) ||
    (initializer !== undefined && ts.isArrowFunction(initializer))
  );
}

function examplesOf(symbol: ts.Symbol): readonly string[] {
  return symbol
    .getJsDocTags()
    .filter(({ name }) => name === "example")
    .map(({ text }) => (text ?? []).map((part) => part.text).join(""))
    .map((text) => /```ts\n([\s\S]*?)\n```/.exec(text)?.[1] ?? "");
}
