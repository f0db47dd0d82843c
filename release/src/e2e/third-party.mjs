// A third party's provider, installed from the registry: it builds, passes the suite against a real sshd, and the command uses it.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "../run.mjs";

const PROGRAM = `
import { startSshd } from "./provider/test/sshd.ts";
const sshd = await startSshd();
process.stdout.write(JSON.stringify({ config: sshd.config, directory: sshd.directory }) + "\\n");
process.on("SIGTERM", () => { sshd.close(); process.exit(0); });
setInterval(() => undefined, 1000);
`;

export async function thirdParty({ root, place, env, report }) {
  const folder = path.join(place, "third-party");
  cpSync(path.join(root, "examples", "third-party-provider"), folder, {
    recursive: true,
    filter: (from) => !/node_modules|dist$/.test(from),
  });
  const npm = (cwd, ...words) => run("npm", words, { cwd, env, timeoutMs: 300_000 });
  const ready = await report.check("a third party's provider installs, builds and type-checks", () => {
    npm(folder, "install", "--no-audit", "--no-fund");
    // Its README's example is compiled with it.
    const readme = readFileSync(path.join(folder, "README.md"), "utf8");
    const [, example] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    assert.ok(example);
    const from = example.replace('"slipway-provider-ssh-hosts"', '"../src/index.ts"');
    writeFileSync(path.join(folder, "test", "readme.ts"), from);
    npm(folder, "run", "build");
    npm(folder, "run", "typecheck");
  });
  if (!ready) return;
  await report.check("  it passes the whole suite against a real sshd, its own capability's case included", () => {
    const { output } = npm(folder, "test");
    const [, passed] = /Tests .*?(\d+) passed/.exec(output.replaceAll(/\x1b\[[0-9;]*m/g, "")) ?? [];
    assert.ok(Number(passed) > 120, output);
    return `${passed} cases`;
  });

  const project = path.join(place, "third-party-user");
  mkdirSync(project);
  writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  const installed = await report.check("  a project has it beside the command", () => {
    npm(folder, "pack", "--pack-destination", project);
    npm(
      project,
      "install",
      "--no-audit",
      "--no-fund",
      "slipway",
      "@slipway/core",
      "./slipway-provider-ssh-hosts-0.1.0.tgz",
    );
  });
  if (!installed) return;
  cpSync(path.join(folder, "test", "sshd.ts"), path.join(project, "provider", "test", "sshd.ts"), { recursive: true });
  writeFileSync(path.join(project, "sshd.mjs"), PROGRAM);
  const { spawn } = await import("node:child_process");
  const server = spawn(process.execPath, ["sshd.mjs"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const { config, directory } = JSON.parse(await firstLine(server));
    const hosts = [{ name: "machine", directory: path.join(directory, "place") }];
    const settings = { providers: { "ssh-hosts": { config: { hosts, sshConfig: config } } } };
    writeFileSync(path.join(project, "slipway.config.json"), JSON.stringify(settings));
    const home = { ...env, HOME: project, XDG_STATE_HOME: path.join(project, "state") };
    const slipway = (...words) =>
      run(path.join(project, "node_modules", ".bin", "slipway"), words, { cwd: project, env: home });
    await report.check("  `slipway providers` shows it by its package's name, with its capability", () => {
      const rows = JSON.parse(slipway("providers", "--json").stdout);
      const row = rows.find(({ name }) => name === "ssh-hosts");
      assert.equal(row.package, "slipway-provider-ssh-hosts");
      assert.deepEqual(row.capabilities, ["fileCopy"]);
    });
    for (const named of ["ssh-hosts", "slipway-provider-ssh-hosts"]) {
      await report.check(`  \`slipway spawn --provider ${named}\` runs a script on the host`, () => {
        writeFileSync(path.join(project, "hello.sh"), "echo hello from $(uname -s)\n");
        const words = ["--provider", named, "--key", "web-1"];
        const { output } = slipway("spawn", ...words, "--bootstrap", "hello.sh", "--wait");
        assert.match(output, /succeeded/);
        assert.match(slipway("logs", "web-1", "--provider", named).stdout, /hello from Linux/);
        assert.match(slipway("exec", "web-1", "--provider", named, "--", "echo", "a  b").stdout, /^a {2}b$/m);
        slipway("terminate", "web-1", "--provider", named, "--confirm");
        assert.deepEqual(JSON.parse(slipway("list", "--provider", named, "--json").stdout), []);
      });
    }
  } finally {
    server.kill("SIGTERM");
  }
  rmSync(path.join(project, "node_modules"), { recursive: true, force: true });
}

async function firstLine(child) {
  let printed = "";
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    if (printed.includes("\n")) return printed;
  }
  throw new Error("sshd did not start");
}
