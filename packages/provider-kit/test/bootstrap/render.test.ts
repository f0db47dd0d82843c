import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BootstrapConfig, checksumOf, isProviderError, specHash } from "@slipway/core";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  BOOTSTRAP_DIRECTORY,
  bootstrapPaths,
  carriedBootstrap,
  MAX_BOOTSTRAP_BYTES,
  parseSentinel,
  payloadChecksum,
  payloadOf,
  renderBootstrap,
} from "../../src/bootstrap/index.ts";
import { context, render } from "./instance.ts";
import { tool } from "./tools.ts";

const whole: BootstrapConfig = {
  script: "echo 'hällo' $(id) `id`\n",
  environment: { B: "2\n", A: "é\"'$x" },
  files: [{ path: "/opt/a file\n/x", content: "\r\n", mode: "0755" }],
  features: ["tailscale", "docker"],
  controlPlaneUrl: "https://control.example/?a=b&c='d'",
  registrationToken: "tok-1",
};
const FORMATS = ["shell", "cloud-init"] as const;

describe.each(FORMATS)("a rendered %s", (format) => {
  it("has the checksum and the length of its bytes, and is ASCII", () => {
    const script = render(whole, format);
    expect(script.format).toBe(format);
    expect(script.checksum).toBe(checksumOf(script.content));
    expect(script.byteLength).toBe(Buffer.byteLength(script.content));
    expect(script.content).toMatch(/^[\n\x20-\x7e]*$/);
  });

  it("has the same bytes for the same config, whatever the order of its variables and features", () => {
    const other = {
      ...whole,
      environment: { A: "é\"'$x", B: "2\n" },
      features: ["docker", "tailscale", "docker"] as const,
    };
    expect(render(other, format)).toEqual(render(whole, format));
  });

  it("has a stable checksum that the token does not change, and everything else does", () => {
    const stable = (config: BootstrapConfig): string | undefined => render(config, format).stableChecksum;
    const { registrationToken: _, ...without } = whole;
    expect(stable(without)).toBeUndefined();
    expect(stable(whole)).toBe(render(without, format).checksum);
    expect(stable({ ...whole, registrationToken: "tok-2" })).toBe(stable(whole));
    expect(stable({ ...whole, registrationToken: "" })).toBe(stable(whole));
    expect(stable({ ...whole, script: "other" })).not.toBe(stable(whole));
    expect(specHash({ bootstrap: render({ ...whole, registrationToken: "tok-2" }, format) })).toBe(
      specHash({ bootstrap: render(whole, format) }),
    );
  });

  it("shows none of the values in clear", () => {
    const { content } = render(whole, format);
    for (const text of ["tok-1", "control.example", "hällo", "/opt/a"]) expect(content).not.toContain(text);
  });
});

describe("the two formats", () => {
  it("carry the same payload", () => {
    const [shell, cloud] = [render(whole, "shell"), render(whole, "cloud-init")];
    expect(payloadOf(cloud)).toBe(shell.content);
    expect(payloadChecksum(cloud)).toBe(shell.checksum);
    expect(payloadChecksum(shell)).toBe(shell.checksum);
  });

  it("store and run it where the provider says", () => {
    const script = renderBootstrap(whole, { ...context, format: "cloud-init", directory: "/opt/agent/boot" });
    const body: unknown = JSON.parse(script.content.slice("#cloud-config\n".length));
    expect(body).toMatchObject({
      write_files: [{ path: "/opt/agent/boot/bootstrap.sh", permissions: "0700", encoding: "b64" }],
      runcmd: [["/bin/sh", "/opt/agent/boot/bootstrap.sh"]],
    });
    expect(payloadOf(script)).toContain(":-/opt/agent/boot}");
    expect(bootstrapPaths("/opt/agent/boot").sentinel).toBe("/opt/agent/boot/sentinel");
    for (const directory of ["relative", "/a b", "/$(id)", "/a/", ""]) {
      expect(() => renderBootstrap(whole, { ...context, format: "shell", directory })).toThrow(TypeError);
    }
  });

  it.each([
    "",
    "#cloud-config\n",
    "#cloud-config\nruncmd: [ls]\n",
    '#cloud-config\n{"write_files":[{}]}',
    "#!/bin/sh\n",
  ])("have no payload in a foreign cloud-config %j", (content) => {
    expect(payloadOf({ content, format: "cloud-init" })).toBeNull();
    expect(payloadChecksum({ content, format: "cloud-init" })).toBeNull();
  });
});

/** For callers without types. */
const untyped = (config: unknown): BootstrapConfig => config as BootstrapConfig;
const withFile = (file: object): BootstrapConfig =>
  untyped({ script: "", files: [{ path: "/a", content: "", ...file }] });
const withVariable = (name: string, value: unknown): BootstrapConfig =>
  untyped({ script: "", environment: { [name]: value } });

describe("what cannot be carried out is refused, naming the field", () => {
  it.each<[field: string, wrong: string, config: BootstrapConfig]>([
    ["script", "NUL", { script: "a\0b" }],
    ["script", "surrogate", { script: "\ud83d" }],
    ["script", "must be a text", untyped({})],
    ["bootstrap", "must be an object", untyped(null)],
    ["scripts", "is not a field", untyped({ script: "", scripts: [] })],
    ['environment["A"]', "NUL", withVariable("A", "\0")],
    ['environment["A"]', "must be a text", withVariable("A", 1)],
    ['environment["A"]', "bytes with its name", withVariable("A", "x".repeat(131_072))],
    ['environment["a-b"]', "must be named", withVariable("a-b", "")],
    ['environment["1A"]', "must be named", withVariable("1A", "")],
    ['environment[""]', "must be named", withVariable("", "")],
    ['environment["é"]', "must be named", withVariable("é", "")],
    ['environment["A=B"]', "must be named", withVariable("A=B", "")],
    ['environment["A\\n"]', "must be named", withVariable("A\n", "")],
    ['environment["UID"]', "the shell keeps", withVariable("UID", "0")],
    ['environment["IFS"]', "the shell keeps", withVariable("IFS", "x")],
    ['environment["OPTIND"]', "the shell keeps", withVariable("OPTIND", "x")],
    ['environment["SLIPWAY_REGISTRATION_TOKEN"]', "registrationToken", withVariable("SLIPWAY_REGISTRATION_TOKEN", "x")],
    ["environment", "must map", untyped({ script: "", environment: [] })],
    ["registrationToken", "NUL", { script: "", registrationToken: "\0" }],
    ["controlPlaneUrl", "surrogate", { script: "", controlPlaneUrl: "\udc00" }],
    ["files[0].path", "absolute", withFile({ path: "etc/x" })],
    ["files[0].path", "absolute", withFile({ path: "" })],
    ["files[0].path", "must name a file", withFile({ path: "/" })],
    ["files[0].path", "must name a file", withFile({ path: "/etc/" })],
    ["files[0].path", "must name a file", withFile({ path: "/etc/.." })],
    ["files[0].path", "NUL", withFile({ path: "/\0" })],
    ["files[0].path", "255 bytes", withFile({ path: `/${"é".repeat(128)}` })],
    ["files[0].path", "4095 bytes", withFile({ path: "/abc".repeat(1024) })],
    ["files[0].content", "must be a text", withFile({ content: undefined })],
    ["files[0].content", "surrogate", withFile({ content: "\ud800" })],
    ["files[0].mode", "octal", withFile({ mode: "999" })],
    ["files[0].mode", "octal", withFile({ mode: "64" })],
    ["files[0].mode", "octal", withFile({ mode: "0644; id" })],
    ["files[0].mode", "octal", withFile({ mode: 420 })],
    [
      "files[1].path",
      "another file",
      untyped({
        script: "",
        files: [
          { path: "/a", content: "" },
          { path: "/a", content: "" },
        ],
      }),
    ],
    ["files", "must be a list", untyped({ script: "", files: {} })],
    ["files", "must be a list", untyped({ script: "", files: [null] })],
    ["features", '"podman"; known are docker and tailscale', untyped({ script: "", features: ["podman"] })],
    ["features", "must be a list", untyped({ script: "", features: "docker" })],
    ["files[0].content", `may have ${MAX_BOOTSTRAP_BYTES}`, withFile({ content: "x".repeat(900_000) })],
    ["script", `may have ${MAX_BOOTSTRAP_BYTES}`, { script: "x".repeat(2_000_000) }],
  ])("%s %s", (field, wrong, config) => {
    const error: unknown = (() => {
      try {
        return render(config);
      } catch (reason) {
        return reason;
      }
    })();
    if (!isProviderError(error)) throw error;
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none", ...context });
    expect(error.message).toMatch(field === "bootstrap" ? /^bootstrap / : /^bootstrap\./);
    expect(error.message).toContain(field);
    expect(error.message).toContain(wrong);
    expect(error.message.length).toBeLessThan(400);
  });

  it("takes what is just inside the limits", () => {
    const value = "x".repeat(131_072 - "A=".length - 1);
    expect(render({ script: "", environment: { A: value } }).byteLength).toBeGreaterThan(value.length);
    const name = "é".repeat(127);
    expect(render(withFile({ path: `/${name}/a b`, mode: "7777" })).byteLength).toBeGreaterThan(0);
  });
});

describe("carriedBootstrap", () => {
  const text = fc.string({ unit: "binary", maxLength: 200 }).map((one) => one.toWellFormed().replaceAll("\0", ""));
  const config = fc.record({
    script: text,
    environment: fc.dictionary(fc.stringMatching(/^V[A-Z0-9_]{0,8}$/), text, { maxKeys: 4, noNullPrototype: true }),
    files: fc.uniqueArray(
      fc.record({ path: fc.stringMatching(/^\/[a-z]{1,9}$/), content: text, mode: fc.constant("0640") }),
      {
        maxLength: 3,
        selector: (file) => file.path,
      },
    ),
    features: fc.subarray(["docker", "tailscale"] as const),
    registrationToken: text,
  });

  it("reads back what was rendered, from both formats", () => {
    fc.assert(
      fc.property(config, fc.constantFrom(...FORMATS), (given, format) => {
        expect(carriedBootstrap(render(given, format))).toEqual({
          script: given.script,
          environment: { ...given.environment, SLIPWAY_REGISTRATION_TOKEN: given.registrationToken },
          files: given.files,
          registrationToken: given.registrationToken,
        });
      }),
    );
  });

  it("knows no other script", () => {
    expect(carriedBootstrap({ content: "#!/bin/sh\necho\n", format: "shell" })).toBeNull();
    expect(carriedBootstrap({ content: "#!/bin/sh\n# slipway-bootstrap 1\n", format: "shell" })).toBeNull();
    expect(carriedBootstrap({ content: "#cloud-config\n{}\n", format: "cloud-init" })).toBeNull();
    expect(carriedBootstrap(render({ script: "x" }))).not.toHaveProperty("registrationToken");
  });
});

describe("parseSentinel", () => {
  const checksum = checksumOf("x");
  const lines = (...more: string[]): string => ["slipway-bootstrap 1", ...more, ""].join("\n");

  it.each([
    [null, { state: "pending" }],
    ["", { state: "pending" }],
    ["garbage", { state: "unknown" }],
    [lines(), { state: "unknown" }],
    [lines("state=running", `checksum=${checksum}`), { state: "running", checksum }],
    [lines("state=exited", "exitCode=0"), { state: "succeeded", exitCode: 0, checksum: null }],
    [lines("state=exited", "exitCode=137"), { state: "failed", exitCode: 137 }],
    [lines("state=exited"), { state: "unknown" }],
    [lines("state=exited", "exitCode=1e3"), { state: "unknown" }],
    [lines("state=exited", "exitCode=-1"), { state: "unknown" }],
    [lines("state=dancing"), { state: "unknown" }],
    [lines("state=running", "checksum=unknown", "boot=unknown", "startedAt=noon"), { checksum: null, startedAt: null }],
    ["slipway-bootstrap 2\nstate=exited\nexitCode=0\n", { state: "unknown" }],
  ])("reads %j", (text, expected) => {
    expect(parseSentinel(text)).toMatchObject(expected);
  });

  it("has an exit code only where the script has ended", () => {
    expect(parseSentinel(lines("state=running", "exitCode=0"))).not.toHaveProperty("exitCode");
  });
});

const shellcheck = tool("shellcheck");
const cloudInit = tool("cloud-init");

function stored(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), "slipway-check-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "content");
  writeFileSync(file, content);
  return file;
}

const checked: readonly (readonly [name: string, config: BootstrapConfig])[] = [
  ["everything", whole],
  ["a script alone", { script: "true" }],
  ["reports", { script: "", report: { url: "https://control.example/reports", token: "token" } }],
  ["docker alone", { script: "", features: ["docker"] }],
  [
    "many variables",
    { script: "", environment: Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`V${at}`, "\n"])) },
  ],
];

describe("shellcheck", () => {
  it.for(checked)("has nothing to say about %s", ([, config], { skip }) => {
    if (shellcheck.missing !== null) skip(shellcheck.missing);
    const file = stored(render(config).content);
    expect(execFileSync("shellcheck", ["--shell=sh", "--severity=style", file]).toString()).toBe("");
  });
});

describe("cloud-init schema", () => {
  it.for(checked)("takes %s", { timeout: 120_000 }, ([, config], { skip }) => {
    if (cloudInit.missing !== null) skip(cloudInit.missing);
    const file = stored(render(config, "cloud-init").content);
    expect(execFileSync("cloud-init", ["schema", "--config-file", file]).toString()).toContain("Valid");
    expect(readFileSync(file, "utf8")).toContain(BOOTSTRAP_DIRECTORY);
  });
});
