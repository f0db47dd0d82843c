// Finds every sentence that a user can be told: what an error is made with, its hint, why a capability is off. As a page, so
// that whoever writes a sentence sees it beside the others.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseSync } from "oxc-parser";

const PAGE = "docs/reference/messages.md";
// What these properties hold is told to users, wherever they stand.
const TOLD = new Set(["message", "hint", "reason", "statusReason", "whyNot"]);
const LEAST_WORDS = 3;

/** @returns the page's path and text, and how many sentences are on it. */
export function messagesPage(root) {
  const sections = [];
  let count = 0;
  for (const name of readdirSync(path.join(root, "packages")).sort()) {
    const messages = new Set();
    for (const file of sources(path.join(root, "packages", name, "src"))) {
      for (const message of messagesIn(file, readFileSync(file, "utf8"))) messages.add(message);
    }
    if (messages.size === 0) continue;
    count += messages.size;
    sections.push(
      `## ${name}\n\n${[...messages]
        .sort(byText)
        .map((message) => `- ${quoted(message)}`)
        .join("\n")}\n`,
    );
  }
  const head = [
    "# Messages",
    "",
    "<!-- Written by `npm run words -- --write` from the code: do not edit. -->",
    "",
    "Every sentence that an error, a hint or a switched-off capability can say, by package; `…` stands for what differs.",
    "",
    "",
  ];
  return { file: PAGE, text: `${head.join("\n")}${sections.join("\n")}`, count };
}

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
// Backticks of the sentence itself stay readable inside two of ours; a page of the docs must not read it as markup.
const quoted = (message) => `\`\` ${message.replaceAll("\n", " ")} \`\``;

/** The sentences of one file. */
export function messagesIn(file, source) {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0].message}`);
  const found = new Set();
  const tell = (node) => {
    for (const text of textsOf(node)) if (isSentence(text)) found.add(text);
  };
  visit(program, (node) => {
    if (node.type === "Property" && TOLD.has(nameOf(node.key))) tellDeep(node.value, tell);
    else if (node.type === "NewExpression" && nameOf(node.callee).endsWith("Error"))
      for (const each of node.arguments) tell(each);
    else if (node.type === "ThrowStatement" && node.argument.type === "CallExpression") {
      for (const each of node.argument.arguments) tell(each);
    }
  });
  return [...found];
}

/** Also the values of a table below: `whyNot` is one. */
function tellDeep(node, tell) {
  tell(node);
  if (node.type === "ObjectExpression") for (const { value } of node.properties) if (value) tellDeep(value, tell);
}

/** The texts that an expression can be; `…` for what is not known before it runs. */
function textsOf(node) {
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" ? [node.value] : [];
    case "TemplateLiteral":
      return [node.quasis.map(({ value }) => value.cooked).join("…")];
    case "ConditionalExpression":
      return [...textsOf(node.consequent), ...textsOf(node.alternate)];
    case "LogicalExpression":
      return [...textsOf(node.left), ...textsOf(node.right)];
    case "BinaryExpression": {
      const [left = "…"] = textsOf(node.left);
      const [right = "…"] = textsOf(node.right);
      return node.operator === "+" && left + right !== "……" ? [left + right] : [];
    }
    default:
      return [];
  }
}

const isSentence = (text) => text.trim().split(/\s+/).length >= LEAST_WORDS;
const nameOf = (node) => node.name ?? (typeof node.value === "string" ? node.value : "");

function visit(node, look) {
  if (Array.isArray(node)) for (const each of node) visit(each, look);
  else if (node && typeof node === "object") {
    if (typeof node.type === "string") look(node);
    for (const value of Object.values(node)) if (value && typeof value === "object") visit(value, look);
  }
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith(".ts")) yield path.join(entry.parentPath, entry.name);
  }
}
