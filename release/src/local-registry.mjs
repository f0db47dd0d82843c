// A registry on the loopback that knows our packages alone and hands everything else on. It ends with its process.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { run } from "./run.mjs";

const OURS = ["@slipway/*", "slipway"];
const START_MS = 30_000;

export async function startRegistry(place) {
  const folder = path.join(place, "registry");
  mkdirSync(folder);
  const upstream = run("npm", ["config", "get", "registry"], { cwd: folder }).stdout.trim();
  const ours = OURS.map((name) => `  "${name}": { access: $all, publish: $all, unpublish: $all }\n`).join("");
  const config = path.join(folder, "config.yaml");
  writeFileSync(
    config,
    `storage: ./storage
auth: { htpasswd: { file: ./htpasswd, max_users: -1 } }
uplinks: { up: { url: ${JSON.stringify(upstream)} } }
packages:
${ours}  "**": { access: $all, proxy: up }
log: { type: stdout, format: json, level: warn }
`,
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const verdaccio = path.join(import.meta.dirname, "..", "node_modules", "verdaccio", "bin", "verdaccio");
  const child = spawn(process.execPath, [verdaccio, "--config", config, "--listen", `127.0.0.1:${port}`], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  const deadline = performance.now() + START_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`the registry does not start\n${said}`);
  }
  const userConfig = path.join(folder, "npmrc");
  writeFileSync(userConfig, `registry=${url}\n//127.0.0.1:${port}/:_authToken=local-only\n`);
  const env = {
    // A script that npm runs has the second one already, and it would count.
    NPM_CONFIG_USERCONFIG: userConfig,
    npm_config_userconfig: userConfig,
    npm_config_registry: url,
    pnpm_config_registry: url,
    // Of its own: npm keeps what `npm create` ran by name and version, and would run the package of an earlier run.
    NPM_CONFIG_CACHE: path.join(folder, "npm-cache"),
    npm_config_cache: path.join(folder, "npm-cache"),
    NPM_CONFIG_PROVENANCE: "false",
  };
  return { url, env, close: () => child.kill("SIGKILL") };
}

async function answers(url) {
  try {
    return (await fetch(`${url}-/ping`, { signal: AbortSignal.timeout(500) })).ok;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
