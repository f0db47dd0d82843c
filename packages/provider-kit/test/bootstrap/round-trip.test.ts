import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payloadChecksum } from "../../src/bootstrap/index.ts";
import { machine, render } from "./instance.ts";
import { SHELLS } from "./tools.ts";

/** What has broken shell scripts before, beside anything that Unicode has. */
const HOSTILE = [
  "",
  "'",
  '"',
  "'\\''",
  "$(touch pwned)",
  "`touch pwned`",
  "${PATH}",
  "\\",
  "\\n",
  "\n",
  "\n\n\n",
  "a\n",
  "\r\n",
  "\r",
  "-n",
  "--help",
  "-e \\101",
  "__",
  "\n__\n",
  "EOF\nEOF",
  "\u0001\u007f\u0080\u0081\u0088",
  // dash flags its own quotes by the bytes 0x81 to 0x88, which these hold.
  "āĈ聁",
  "\u{1F680}\uFEFF",
  "é\u0301\u202E",
  "%s%n",
  "*",
  "~",
  "!!",
  "#",
  ";exit 9;",
  "x",
] as const;

const wellFormed = fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.toWellFormed().replaceAll("\0", ""));
const value = fc.oneof(
  fc.constantFrom(...HOSTILE),
  wellFormed,
  fc.array(fc.oneof(fc.constantFrom(...HOSTILE), wellFormed), { maxLength: 5 }).map((parts) => parts.join("")),
);
const RESERVED = new Set(["_", "UID", "PWD"]);
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/),
  // The names that the script itself and the programs it calls use.
  fc.constantFrom("PATH", "HOME", "LANG", "ENV", "slipway_value", "slipway_dir", "slipway_umask", "PS4", "TMPDIR"),
);
const fileName = value
  .map((text) => text.replaceAll("/", "|").slice(0, 40).toWellFormed())
  .filter((text) => text !== "" && text !== "." && text !== ".." && Buffer.byteLength(text) < 200);

const config = fc.record({
  environment: fc.dictionary(
    name.filter((one) => !RESERVED.has(one)),
    value,
    { maxKeys: 6 },
  ),
  files: fc.uniqueArray(
    fc.record({ directory: fileName, name: fileName, content: value, mode: fc.constantFrom("0600", "755", "0444") }),
    { maxLength: 3, selector: (file) => file.directory },
  ),
  registrationToken: fc.option(value, { nil: undefined }),
  controlPlaneUrl: fc.option(value, { nil: undefined }),
  // A script whose lines end as on Windows is refused.
  comment: value.map((text) => text.replaceAll(/\r+(?=\n|$)/g, "")),
});

/** Ends with what the script got, exactly: its own environment as the kernel gave it. */
const INSPECTOR = `
/bin/cat /proc/$$/environ >"$0.environ"
exit 42
`;

describe.each(SHELLS)("every value comes through byte for byte, under $name", (shell) => {
  it("whatever the config holds", { timeout: 300_000 }, async ({ skip }) => {
    if (shell.missing !== null) skip(shell.missing);
    if (!existsSync("/proc/self/environ")) skip("there is no /proc to read an environment from");
    await fc.assert(
      fc.asyncProperty(config, async ({ comment, ...rest }) => {
        const { root, state, run, read, sentinel, log } = machine();
        // Every line of it a comment, so that it runs whatever it holds.
        const script = `#${comment.replaceAll("\n", "\n#")}\n${INSPECTOR}`;
        const files = rest.files.map((file) => ({
          path: join(root, "files", file.directory, file.name),
          content: file.content,
          mode: file.mode,
        }));
        const rendered = render({ ...rest, script, files });
        expect([run(rendered.content, shell).exitCode, log()]).toEqual([42, ""]);

        expect(read("state/script").toString("utf8")).toBe(script);
        for (const file of files) {
          expect(read(file.path.slice(root.length + 1)).equals(Buffer.from(file.content))).toBe(true);
          expect(statSync(file.path).mode & 0o7777).toBe(Number.parseInt(file.mode, 8));
        }
        const got = environmentIn(read("state/script.environ"));
        const { SLIPWAY_BOOTSTRAP_DIR, ...given } = got;
        expect(SLIPWAY_BOOTSTRAP_DIR).toBe(state);
        const expected = {
          ...rest.environment,
          ...(rest.registrationToken === undefined ? {} : { SLIPWAY_REGISTRATION_TOKEN: rest.registrationToken }),
          ...(rest.controlPlaneUrl === undefined ? {} : { SLIPWAY_CONTROL_PLANE_URL: rest.controlPlaneUrl }),
        };
        expect(given).toMatchObject(expected);
        const others = Object.keys(given).filter((key) => !(key in expected));
        expect(others.filter((key) => !["PATH", "HOME", "PWD", "OLDPWD", "_", "SHLVL"].includes(key))).toEqual([]);
        expect(sentinel()).toMatchObject({
          state: "failed",
          exitCode: 42,
          checksum: rendered.checksum,
        });
        expect(payloadChecksum(rendered)).toBe(rendered.checksum);
      }),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 30) },
    );
  });

  it("in a file of many lines and a long variable", ({ skip }) => {
    if (shell.missing !== null) skip(shell.missing);
    const { root, run, read } = machine();
    const content = "a long line with é and '$(x)'\n".repeat(15_000);
    const long = "v\n".repeat(60_000);
    const path = join(root, "large");
    const rendered = render({
      script: 'printf %s "$LONG" >"$0.long"',
      files: [{ path, content }],
      environment: { LONG: long },
    });
    expect(run(rendered.content, shell).exitCode).toBe(0);
    expect(read("large").toString("utf8") === content).toBe(true);
    expect(read("state/script.long").toString("utf8") === long).toBe(true);
  });
});

function environmentIn(environ: Buffer): Record<string, string> {
  const variables = environ.toString("utf8").split("\0").slice(0, -1);
  return Object.fromEntries(
    variables.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
