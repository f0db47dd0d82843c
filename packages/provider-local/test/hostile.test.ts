import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digestOf, withoutSecrets } from "../src/state/records.ts";
import { isolations, linesOf, until, world } from "./worlds.ts";

const CANARY = `/tmp/slipway-canary-${process.pid}`;
const HOSTILE = [
  `'"\`$(touch ${CANARY})\`${"$"}{HOME}\\`,
  `'; touch ${CANARY}; '`,
  "line\nbreak\r\n\ttab\u0001\u007f",
  "ünï 漢字 🚢 \u202e",
  "__\nSLIPWAY_EOF\n__\n",
  "%s%n!!~#*?[]{}|&;<>",
  "-n",
  "",
  "\n\n",
];
const TOKEN = "tok'$(en)\"-§-12345";

function readAllCommandLines(): string {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    })
    .join("\n");
}

describe.each(isolations)("with $isolation", ({ isolation }) => {
  test("hostile values arrive exactly as they were given, and run nothing", async () => {
    const { provider } = world(isolation);
    const environment = Object.fromEntries(HOSTILE.map((value, at) => [`VALUE_${at}`, value]));
    const files = HOSTILE.map((content, at) => ({ path: `/srv/it's $(f) ${at}`, content }));
    const script = HOSTILE.map((_, at) => `printf %s "$VALUE_${at}" >"$SLIPWAY_ROOT/srv/value ${at}"`).join("\n");
    const { id, rootDirectory } = await provider.spawn({
      key: `k'"$(touch ${CANARY})`,
      name: "it's $(me)",
      labels: { "a'b": "$(touch x)" },
      bootstrap: { script, environment, files },
    });
    await until(
      () => provider.get(id),
      (seen) => seen?.bootstrap?.state === "succeeded",
    );
    for (const [at, value] of HOSTILE.entries()) {
      expect(readFileSync(join(rootDirectory, `srv/value ${at}`), "utf8")).toBe(value);
      expect(readFileSync(join(rootDirectory, `srv/it's $(f) ${at}`), "utf8")).toBe(value);
    }
    expect((await provider.get(id))?.labels).toEqual({ "a'b": "$(touch x)" });
    const canary = existsSync(CANARY);
    rmSync(CANARY, { force: true });
    expect(canary).toBe(false);
  });

  test("the registration token is in no argument list, no answer, no log, and in no file when the bootstrap is done", async () => {
    const { provider, stateDirectory } = world(isolation);
    const wait = 'until [ -e "$SLIPWAY_ROOT/tmp/seen" ]; do sleep 0.02; done';
    const script = `echo "my token is $SLIPWAY_REGISTRATION_TOKEN."; ${wait}; exit 9`;
    const config = { script, registrationToken: TOKEN };
    // As a config, and as launch sends it: rendered before.
    for (const bootstrap of [config, provider.generateBootstrap(config)]) {
      const spawned = await provider.spawn({ bootstrap });
      await until(
        () => provider.get(spawned.id),
        (seen) => seen?.bootstrap?.state === "running",
      );
      expect(readAllCommandLines()).not.toContain(TOKEN);
      writeFileSync(join(spawned.rootDirectory, "tmp/seen"), "");
      const failed = await until(
        () => provider.get(spawned.id),
        (seen) => seen?.status === "error",
      );
      expect(failed?.statusReason?.message).toContain("my token is [redacted].");
      const lines = await linesOf(provider.logs(spawned.id));
      expect(lines[0]).toBe("my token is [redacted].");
      expect(JSON.stringify([spawned, failed, lines])).not.toContain(TOKEN);
      expect(filesWith(TOKEN, stateDirectory)).toEqual(["console.log"]);
      await provider.terminate(spawned.id);
    }
  });

  test("a rotated token is the same spec, and a script is the config that it was rendered from", async () => {
    const { provider } = world(isolation);
    const config = { script: "exit 0", registrationToken: "one" };
    const first = await provider.spawn({ key: "k", bootstrap: config });
    const rotated = await provider.spawn({ key: "k", bootstrap: { ...config, registrationToken: "two" } });
    const script = await provider.spawn({ key: "k", bootstrap: provider.generateBootstrap(config) });
    expect([rotated.id, script.id]).toEqual([first.id, first.id]);
  });
});

test("a secret is recognised by its digest alone, as often as it stands there", () => {
  const secrets = [digestOf("abc"), digestOf("déf")];
  expect(withoutSecrets("xabcabc déf ab", secrets)).toBe("x[redacted][redacted] [redacted] ab");
  expect(withoutSecrets("nothing", secrets)).toBe("nothing");
  expect(JSON.stringify(secrets)).not.toContain('abc"');
});

function filesWith(text: string, directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name), "utf8").includes(text))
    .map((entry) => entry.name);
}
