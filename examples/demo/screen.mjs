import { styleText } from "node:util";

const style = (format, text) => styleText(format, text, { stream: process.stdout });

export function headline(text) {
  console.log(`\n${style("bold", text)}`);
}

/** Says what is done, and how long it took; a failure is the caller's to tell. */
export async function step(text, work) {
  const begun = performance.now();
  const result = await work();
  console.log(`${style("green", "✓")} ${text} ${style("dim", `${Math.round(performance.now() - begun)} ms`)}`);
  return result;
}

export function fact(name, value) {
  console.log(`    ${style("dim", `${name}:`)} ${value}`);
}

export function failed(text) {
  console.error(`${styleText("red", "✗", { stream: process.stderr })} ${text}`);
}

export function succeeded(text) {
  console.log(`\n${style("green", text)}`);
}
