// One launch of one provider, by its own sources, and which files and functions it enters. It runs in a process of its own,
// with --conditions=@slipway/source, and prints JSON: node tools/house/launch.mjs lambda
import { mkdtempSync, rmSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const here = pathToFileURL(`${root}/packages/`).href;
const load = (name) => import(new URL(name, here).href);

/** Each gives a provider on its emulator, or on this machine, what to ask it for, and what cleans up. */
const worlds = {
  lambda: async (seen) => {
    const { lambdaEmulator, EMULATOR_API_KEY } = await load("provider-lambda/emulator/index.ts");
    const { lambda } = await load("provider-lambda/src/index.ts");
    const { fetch, clock } = lambdaEmulator({ sshKeys: [{ name: "house", publicKey: "ssh-ed25519 AAAA house" }] });
    const runtime = { clock, fetch: seen(fetch) };
    const provider = lambda({ apiKey: EMULATOR_API_KEY, sshKeyName: "house", owner: "house", runtime });
    return { provider, options: { spec: "gpu_1x_a10" } };
  },
  aws: async (seen) => {
    const { ec2Emulator, EMULATOR_CREDENTIALS } = await load("provider-aws/emulator/index.ts");
    const { aws } = await load("provider-aws/src/index.ts");
    const { fetch, clock } = ec2Emulator({ limits: null });
    const provider = aws({
      credentials: EMULATOR_CREDENTIALS,
      owner: "house",
      regions: ["us-east-1"],
      runtime: { clock, fetch: seen(fetch) },
    });
    return { provider, options: {} };
  },
  local: async () => {
    const { local } = await load("provider-local/src/index.ts");
    const stateDirectory = mkdtempSync(path.join(tmpdir(), "slipway-house-"));
    const provider = await local({ owner: "house", stateDirectory });
    return { provider, options: {}, end: () => rmSync(stateDirectory, { recursive: true, force: true }) };
  },
};

const name = process.argv[2];
const framesAtFetch = [];
Error.stackTraceLimit = 200;
const seen = (fetch) => async (input, init) => {
  const own = `/packages/provider-${name}/src/`;
  framesAtFetch.push(new Error().stack.split("\n").filter((line) => line.includes(own)).length);
  return await fetch(input, init);
};

const { launch, memoryStore } = await load("control/src/index.ts");
const { provider, options, end } = await worlds[name](seen);
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
await session.post("Profiler.takePreciseCoverage");
const instance = await launch(provider, { key: "house", ...options }, { store: memoryStore() });
const { result } = await session.post("Profiler.takePreciseCoverage");
await provider.terminate(instance.id);
await end?.();

const entered = result
  .filter(({ url }) => url.startsWith(here) && !url.includes("/emulator/"))
  .map(({ url, functions }) => ({
    file: url.slice(here.length),
    // What begins at the module's first character is the module: it is entered when it is loaded.
    functions: functions.filter(({ ranges: [whole] }) => whole.startOffset > 0 && whole.count > 0).length,
  }))
  .filter(({ functions }) => functions > 0);
console.log(
  JSON.stringify({
    provider: name,
    files: entered.length,
    functions: entered.reduce((sum, { functions }) => sum + functions, 0),
    ownFiles: entered.filter(({ file }) => file.startsWith(`provider-${name}/`)).length,
    requests: framesAtFetch.length,
    mostFrames: framesAtFetch.length === 0 ? null : Math.max(...framesAtFetch),
    names: entered.map(({ file }) => file).sort(),
  }),
);
process.exit();
