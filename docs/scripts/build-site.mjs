// Builds the site: VitePress, which fails at a dead link of its own pages, and TypeDoc beside it; then every link of every
// page is looked up among the files. `node scripts/build-site.mjs`; the last line is `slipway docs: N passed, N failed`.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const docs = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const site = path.join(docs, ".vitepress", "dist");
const bin = (name) => path.join(docs, "node_modules", ".bin", name);

function step(name, args) {
  const { status, stdout, stderr } = spawnSync(bin(name), args, { cwd: docs, encoding: "utf8", timeout: 180_000 });
  if (status === 0) return;
  process.stdout.write(stdout + stderr);
  throw new Error(`${name} ended with ${status}`);
}

function* pages(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* pages(full);
    else if (entry.name.endsWith(".html")) yield full;
  }
}

/** Does a link lead to a file of the site? With clean URLs a page has no ending. */
function leadsSomewhere(from, link) {
  const [target] = link.split(/[?#]/);
  if (target === "") return true;
  const decoded = decodeURIComponent(target);
  const full = decoded.startsWith("/") ? path.join(site, decoded) : path.resolve(path.dirname(from), decoded);
  const tried = [full, `${full}.html`, path.join(full, "index.html")];
  return tried.some((one) => existsSync(one) && statSync(one).isFile());
}

function deadLinks() {
  const dead = [];
  let checked = 0;
  for (const page of pages(site)) {
    const html = readFileSync(page, "utf8");
    for (const [, link] of html.matchAll(/<(?:a|link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g)) {
      if (/^(?:[a-z]+:|\/\/|#)/i.test(link)) continue;
      checked += 1;
      if (!leadsSomewhere(page, link.replaceAll("&amp;", "&"))) dead.push(`${path.relative(site, page)} -> ${link}`);
    }
  }
  return { checked, dead };
}

let failed = 0;
let passed = 0;
try {
  rmSync(site, { recursive: true, force: true });
  step("vitepress", ["build"]);
  passed += 1;
  step("typedoc", ["--options", "typedoc.json"]);
  passed += 1;
  const { checked, dead } = deadLinks();
  for (const link of dead) console.log(`DEAD    ${link}`);
  failed += dead.length;
  if (checked < 100) throw new Error(`only ${checked} links were found: the check sees nothing`);
  passed += 1;
  console.log(`${[...pages(site)].length} pages, ${checked} internal links`);
} catch (error) {
  failed += 1;
  console.log(`FAILED  ${error.message}`);
}
console.log(`slipway docs: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
