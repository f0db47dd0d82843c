import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { BootstrapConfig } from "@slipway/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { bootstrapSecrets, carriedBootstrap } from "../../src/bootstrap/index.ts";
import { eventually } from "../command/programs.ts";
import { machine, render } from "./instance.ts";
import { pathOf, tool } from "./tools.ts";

const TOKEN = "1.token-of-this-launch.mac_-";
const report = { url: "https://control.example/reports", token: TOKEN };

interface Received {
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A server that answers each request with the next of these, and then with the last one. */
async function receiver(...statuses: number[]): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = [];
  const read = async (request: IncomingMessage): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    received.push({ authorization: request.headers.authorization, body });
  };
  const server = createServer((request, response) => {
    void read(request).then(() => {
      response.statusCode = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
      response.end("answer");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/reports`, received };
}

const BASICS = [
  ...[
    "base64",
    "cat",
    "chmod",
    "date",
    "flock",
    "grep",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sha256sum",
    "sh",
    "sleep",
    "tail",
  ],
  ...["tr", "wc"],
];

/** A python3 on the PATH may be a script of a version manager, which needs the rest of the PATH. */
function programOf(sender: string): string {
  if (sender !== "python3") return pathOf(sender);
  return execFileSync("python3", ["-c", "import sys; print(sys.executable)"]).toString().trim();
}

/** A PATH of its own with one tool to send with, which writes down its arguments. */
function pathWith(root: string, sender?: string): string {
  const directory = join(root, "bin");
  mkdirSync(directory);
  for (const name of BASICS) symlinkSync(pathOf(name), join(directory, name));
  if (sender !== undefined) {
    const file = join(directory, sender);
    writeFileSync(file, `#!/bin/sh\necho "$@" >>${root}/arguments\nexec ${programOf(sender)} "$@"\n`);
    chmodSync(file, 0o755);
  }
  return directory;
}

const eventsOf = (received: readonly Received[]): (string | undefined)[] =>
  received.map(({ body }) => /^event=(\w+)$/m.exec(body)?.[1]).toSorted();

describe("rendered", () => {
  const script = "exit 0";

  it("adds nothing to a config without it", () => {
    expect(render({ script, report: undefined }).content).toBe(render({ script }).content);
    expect(render({ script }).content).not.toContain("slipway_report");
  });

  it("gives the same bytes for the same report, and the same stableChecksum for another token", () => {
    const [a, again, b] = [TOKEN, TOKEN, "other"].map((token) => render({ script, report: { ...report, token } }));
    expect(a).toEqual(again);
    expect(a?.checksum).not.toBe(b?.checksum);
    expect(a?.stableChecksum).toBe(b?.stableChecksum);
    expect(a?.stableChecksum).toBeDefined();
  });

  it("takes true for controlPlaneUrl and registrationToken", () => {
    const config = { script, controlPlaneUrl: report.url, registrationToken: TOKEN, report: true } as const;
    expect(carriedBootstrap(render(config))).toMatchObject({ report });
    const rotated = render({ ...config, registrationToken: "other" });
    expect(rotated.stableChecksum).toBe(render(config).stableChecksum);
  });

  it.each<[string, BootstrapConfig, string]>([
    ["true without a place and a token", { script, report: true }, "bootstrap.report is true"],
    ["a URL of another scheme", { script, report: { ...report, url: "file:///etc/passwd" } }, "bootstrap.report.url"],
    ["a URL with a quote", { script, report: { ...report, url: 'http://a/"\n-o' } }, "bootstrap.report.url"],
    ["a URL that a shell would read", { script, report: { ...report, url: "http://a/$(id)" } }, "bootstrap.report.url"],
    ["a token with a line end", { script, report: { ...report, token: "a\nb" } }, "bootstrap.report.token"],
  ])("refuses %s", (_, config, message) => {
    expect(() => render(config)).toThrow(
      expect.objectContaining({ code: "INVALID_SPEC", message: expect.stringContaining(message) }),
    );
  });

  it("carries the report, beside files and variables, and counts its token as a secret", () => {
    for (const format of ["shell", "cloud-init"] as const) {
      const config = { script, files: [{ path: "/a", content: "b" }], environment: { A: "b" }, report };
      const rendered = render(config, format);
      expect(carriedBootstrap(rendered)).toMatchObject({ script, environment: { A: "b" }, report });
      expect(bootstrapSecrets(rendered)).toContain(TOKEN);
    }
  });
});

describe("sent", () => {
  it.each(["curl", "wget", "python3", "bash"])("by %s, with the token in no argument", async (name) => {
    if (tool(name).missing !== null) return;
    const { url, received } = await receiver(200);
    const { root, state, start } = machine();
    const path = pathWith(root, name);
    const content = render({ script: "echo 'the last line'; exit 3", report: { url, token: TOKEN } }).content;
    start(`PATH=${path}\n${content}`);
    await eventually(() => received.length === 2);
    expect(eventsOf(received)).toEqual(["exited", "started"]);
    expect(new Set(received.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
    const exited = received.find(({ body }) => body.includes("exited"))?.body;
    expect(exited).toMatch(/^event=exited\nseq=\d+\nexitCode=3\n\n/);
    expect(exited).toContain("the last line\n");
    expect(readFileSync(join(root, "arguments"), "utf8")).not.toContain(TOKEN);
    // Neither message nor token is left behind.
    await eventually(() => readdirSync(state).every((file) => !file.startsWith(".report-")));
  });

  it("again after a failure that passes, and once after a refusal", async () => {
    const passing = await receiver(503, 200);
    const { start } = machine();
    start(render({ script: "exit 0", report: { url: passing.url, token: TOKEN } }).content);
    await eventually(() => passing.received.length === 3);
    expect(eventsOf(passing.received)).toContain("exited");

    const refusing = await receiver(401);
    const other = machine();
    other.start(render({ script: "exit 0", report: { url: refusing.url, token: TOKEN } }).content);
    await eventually(() => refusing.received.length === 2);
    await eventually(() => readdirSync(other.state).every((file) => !file.startsWith(".report-")));
    expect(refusing.received).toHaveLength(2);
  });

  it("without lines where the log is the machine's own output", async () => {
    const { url, received } = await receiver(200);
    const { state, start } = machine();
    mkdirSync(state);
    symlinkSync("/dev/stdout", join(state, "output.log"));
    start(render({ script: "echo line; exit 4", report: { url, token: TOKEN } }).content);
    await eventually(() => received.length === 2);
    for (const { body } of received) expect(body).toMatch(/\n\n$/);
  });

  it("with numbers that rise, also where the number that was kept is no number", async () => {
    const { url, received } = await receiver(200);
    const { state, start } = machine();
    mkdirSync(state);
    writeFileSync(join(state, "report-seq"), "9999999999999999999; touch hacked");
    start(render({ script: "exit 0", report: { url, token: TOKEN } }).content);
    await eventually(() => received.length === 2);
    const seq = (event: string): number =>
      Number(/^seq=(\d+)$/m.exec(received.find(({ body }) => body.startsWith(`event=${event}\n`))?.body ?? "")?.[1]);
    expect(seq("exited")).toBeGreaterThan(seq("started"));
  });
});

describe("that cannot be sent", () => {
  it("changes neither the exit code nor the state, where nobody listens or no tool is there", () => {
    for (const sender of ["curl", undefined]) {
      const { root, run, sentinel } = machine();
      const path = pathWith(root, sender);
      const { content } = render({ script: "exit 3", report: { url: "http://127.0.0.1:9/", token: TOKEN } });
      expect(run(`PATH=${path}\n${content}`)).toEqual({ exitCode: 3, output: "slipway-bootstrap: exit code 3\n" });
      expect(sentinel()).toMatchObject({ state: "failed", exitCode: 3 });
      expect(existsSync(join(root, "hacked"))).toBe(false);
    }
  });

  it("is not waited for, also where the place answers nothing", async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const { start, sentinel } = machine();
    const child = start(
      render({ script: "exit 0", report: { url: `http://127.0.0.1:${port}`, token: TOKEN } }).content,
    );
    await eventually(() => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
    expect(sentinel().state).toBe("succeeded");
  });
});
