import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { freePort } from "@slipway/provider-kit/emulator";

const HERE = import.meta.dirname;
const REQUIREMENTS = path.join(HERE, "requirements.txt");
const CACHE = path.join(HERE, "..", "..", "node_modules", ".cache", "moto");
const INSTALL_MS = 300_000;
const START_MS = 60_000;
const DAY_MS = 86_400_000;

const IMAGES = "images.json";
// Of its thousand images only those that its SSM parameters name: it makes all of them anew after each reset.
const WRITE_IMAGES = `
import json, sys
from moto.utilities.utils import load_resource
images = []
for region in ("us-east-1", "us-west-2", "eu-central-1"):
    parameters = load_resource(f"ssm/resources/ami-amazon-linux-latest/{region}.json")
    named = {one["Value"] for one in parameters if "/al2023-ami-kernel-default-" in one["Name"]}
    images += [one for one in load_resource(f"ec2/resources/latest_amis/{region}.json") if one["ami_id"] in named]
json.dump(images, open(sys.argv[1], "w"), default=str)
`;

/** A moto on the loopback, in a process of its own. */
export interface MotoServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Installs the pinned moto once, starts it on a free port, and answers when it does. Rejects where it cannot be. */
export async function startMoto(): Promise<MotoServer> {
  const home = await installed();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const stop = new AbortController();
  let said: unknown;
  const running = commandRunner()(
    path.join(home, "bin", "python"),
    ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)],
    {
      signal: stop.signal,
      timeoutMs: DAY_MS,
      env: {
        MOTO_ENABLE_AMI_VALIDATION: "true",
        MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: "true",
        MOTO_AMIS_PATH: path.join(home, IMAGES),
      },
    },
  ).catch((error: unknown) => {
    said = error;
  });
  const close = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  const ready = await answers(url, () => said !== undefined);
  if (ready) return { url, close };
  await close();
  throw new Error(`moto did not start on ${url}: ${said instanceof Error ? said.message : "no answer"}`);
}

/** A virtual environment with exactly what the requirements name; another one for other requirements. */
async function installed(): Promise<string> {
  const wanted = await readFile(REQUIREMENTS, "utf8");
  const home = path.join(CACHE, createHash("sha256").update(wanted).digest("hex").slice(0, 16));
  const marker = path.join(home, "complete");
  if (existsSync(marker)) return home;
  await rm(home, { recursive: true, force: true });
  await mkdir(CACHE, { recursive: true });
  const run = commandRunner({ defaults: { timeoutMs: INSTALL_MS, env: pipEnvironment() } });
  await run("python3", ["-m", "venv", home]);
  await run(path.join(home, "bin", "python"), [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "-r",
    REQUIREMENTS,
  ]);
  await run(path.join(home, "bin", "python"), ["-c", WRITE_IMAGES, path.join(home, IMAGES)]);
  await writeFile(marker, "");
  return home;
}

/** Where this machine's packages come from, and through which proxy. */
function pipEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] =>
      /^(pip_|https?_proxy$|no_proxy$|ssl_cert_|requests_ca_)/i.test(entry[0]),
    ),
  );
}

async function answers(url: string, hasEnded: () => boolean): Promise<boolean> {
  const until = performance.now() + START_MS;
  while (performance.now() < until && !hasEnded()) {
    try {
      const response = await fetch(`${url}/moto-api/data.json`, { signal: AbortSignal.timeout(5_000) });
      await response.arrayBuffer();
      if (response.ok) return true;
    } catch {
      // Not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
