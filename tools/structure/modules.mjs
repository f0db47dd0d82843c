// Reads from a module what the rules ask about, with a real parser: a regular expression would trip over the
// scripts and code samples that this repository keeps in template literals.
import { parseSync, Visitor } from "oxc-parser";
import { lineAt } from "./line-at.mjs";

const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
const RUNNERS = new Set(["it", "test", "describe", "suite", "bench"]);
/** `setImmediate` gives others a turn and waits for no time: simulated clocks need it. */
const TIMERS = new Set(["setTimeout", "setInterval"]);
const TIMER_PROMISES = /^(?:node:)?timers\/promises$/;

/**
 * @returns `imports` ({ specifier, line, kind: "static" | "type" | "dynamic" }), `starExports`, `topLevelAwaits`, `anys`,
 * `unreadable` (syntax errors), `tsComments`, `focused` (.only and .todo), `errorIdentity` (instanceof ProviderError) and `realTime`, all with lines.
 */
export function readModule(file, text) {
  const { program, comments, errors } = parseSync(file, text, {
    sourceType: /\.c[jt]s$/.test(file) ? "script" : "module",
  });
  const facts = collect(program, (node) => lineAt(text, node.start));
  facts.unreadable = errors.map(({ message, labels }) => ({
    what: message,
    line: lineAt(text, labels[0]?.start ?? 0),
  }));
  facts.tsComments = comments.flatMap((comment) => {
    const directive = /^[\s*/]*@ts-(ignore|nocheck)\b/.exec(comment.value);
    return directive ? [{ what: `@ts-${directive[1]}`, line: lineAt(text, comment.start) }] : [];
  });
  return facts;
}

function collect(program, line) {
  const facts = {
    imports: [],
    starExports: [],
    topLevelAwaits: [],
    anys: [],
    focused: [],
    errorIdentity: [],
    realTime: [],
  };
  const imported = (source, kind) => {
    if (typeof source?.value === "string") facts.imports.push({ specifier: source.value, kind, line: line(source) });
  };
  let depth = 0;
  const enter = () => {
    depth += 1;
  };
  const leave = () => {
    depth -= 1;
  };
  const atTop = (node) => {
    if (depth === 0) facts.topLevelAwaits.push({ line: line(node) });
  };

  new Visitor({
    ...Object.fromEntries(
      FUNCTIONS.flatMap((type) => [
        [type, enter],
        [`${type}:exit`, leave],
      ]),
    ),
    ImportDeclaration: (node) => {
      imported(node.source, node.importKind === "type" ? "type" : "static");
      if (TIMER_PROMISES.test(node.source.value) && node.specifiers.some(bringsTimer)) {
        facts.realTime.push({ what: node.source.value, line: line(node) });
      }
    },
    ExportNamedDeclaration: (node) => imported(node.source, node.exportKind === "type" ? "type" : "static"),
    ExportAllDeclaration: (node) => {
      imported(node.source, node.exportKind === "type" ? "type" : "static");
      if (!node.exported) facts.starExports.push({ line: line(node) });
    },
    ImportExpression: (node) => imported(node.source, "dynamic"),
    TSImportType: (node) => imported(node.source ?? node.argument?.literal, "type"),
    TSModuleDeclaration: (node) => imported(node.id, "type"),
    AwaitExpression: atTop,
    ForOfStatement: (node) => {
      if (node.await) atTop(node);
    },
    VariableDeclaration: (node) => {
      if (node.kind === "await using") atTop(node);
    },
    TSAnyKeyword: (node) => facts.anys.push({ line: line(node) }),
    BinaryExpression: (node) => {
      if (node.operator === "instanceof" && node.right.name === "ProviderError") {
        facts.errorIdentity.push({ line: line(node) });
      }
    },
    MemberExpression: (node) => {
      const name = node.property?.name;
      if ((name === "only" || name === "todo") && RUNNERS.has(rootName(node.object))) {
        facts.focused.push({ what: `.${name}`, line: line(node) });
      }
    },
    CallExpression: (node) => {
      const { callee } = node;
      if (callee.type === "Identifier" && callee.name === "require") imported(node.arguments[0], "static");
      const what = realTimeCall(callee);
      if (what) facts.realTime.push({ what, line: line(node) });
    },
  }).visit(program);
  return facts;
}

/** A default or namespace import brings them all. */
function bringsTimer({ imported }) {
  return imported === undefined || TIMERS.has(imported.name);
}

/** A timer of the machine, called bare or through globalThis; `clock.setTimeout` of a simulated clock is none. */
function realTimeCall(callee) {
  if (callee.type === "Identifier" && TIMERS.has(callee.name)) return callee.name;
  if (callee.type !== "MemberExpression") return undefined;
  const object = callee.object.name;
  const name = callee.property.name;
  if (object === "globalThis" && TIMERS.has(name)) return name;
  return object === "Atomics" && name === "wait" ? "Atomics.wait" : undefined;
}

function rootName(node) {
  let at = node;
  while (at.type === "MemberExpression" || at.type === "CallExpression") at = at.object ?? at.callee;
  return at.name;
}
