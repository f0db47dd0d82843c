import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BootstrapFeature } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { type Machine, machine, render } from "./instance.ts";
import { pathOf } from "./tools.ts";

const NEEDED = [
  "base64",
  "cat",
  "chmod",
  "date",
  "env",
  "flock",
  "grep",
  "id",
  "mkdir",
  "mv",
  "rm",
  "sh",
  "sha256sum",
  "touch",
];

/** A machine whose only commands are those that a bootstrap needs, and these: each writes down how it was called. */
function distribution(
  commands: Readonly<Record<string, string>>,
): Machine & { readonly called: () => readonly string[] } {
  const plain = machine();
  const bin = join(plain.root, "bin");
  const calls = join(plain.root, "calls");
  mkdirSync(bin);
  writeFileSync(calls, "");
  const program = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  for (const name of NEEDED) program(name, `exec ${pathOf(name)} "$@"`);
  program("id", 'echo "${FAKE_UID:-0}"');
  const provide = `provide() { printf '#!/bin/sh\\n' >${bin}/$1; ${pathOf("chmod")} 755 ${bin}/$1; }`;
  for (const [name, body] of Object.entries(commands)) {
    program(name, `echo ${name} "$@" >>${calls}\n${provide}\n${body}`);
  }
  const shell = { name: "", missing: null, argv: () => ["/bin/sh"], path: () => bin };
  return {
    ...plain,
    run: (content) => plain.run(content, shell),
    called: () => readFileSync(calls, "utf8").split("\n").slice(0, -1),
  };
}

const asking = (...features: BootstrapFeature[]): string => render({ script: "echo user script", features }).content;

describe("features", () => {
  it("install nothing that is there", () => {
    const { run, called, log } = distribution({ docker: "", tailscale: "", "apt-get": "exit 1", curl: "exit 1" });
    expect(run(asking("docker", "tailscale")).exitCode).toBe(0);
    expect(called()).toEqual([]);
    expect(log()).toBe("user script\n");
  });

  it("come from the distribution's own package, before the script runs", () => {
    const { run, called, sentinel } = distribution({
      "apt-get": 'case "$*" in *docker.io) provide docker ;; esac',
      service: "",
    });
    expect(run(asking("docker")).exitCode).toBe(0);
    expect(called()).toEqual([
      "apt-get -q -o DPkg::Lock::Timeout=300 update",
      "apt-get -y -o DPkg::Lock::Timeout=300 install --no-install-recommends docker.io",
      ...(called().length > 2 ? [expect.stringMatching(/^(service docker start|systemctl .*)$/)] : []),
    ]);
    expect(sentinel().state).toBe("succeeded");
  });

  it("try the next name of a package", () => {
    const { run, called } = distribution({ dnf: 'case "$*" in *moby-engine) provide docker ;; *) exit 1 ;; esac' });
    expect(run(asking("docker")).exitCode).toBe(0);
    expect(called().slice(0, 2)).toEqual(["dnf -y install docker", "dnf -y install moby-engine"]);
  });

  it("come from the vendor's installer where no package has them", () => {
    const { run, called, log } = distribution({
      "apt-get": 'case "$*" in *update) ;; *) exit 100 ;; esac',
      curl: 'for last; do :; done; while [ "$1" != -o ]; do shift; done; echo "touch installed; cp /bin/true tailscale" >"$2"',
      cp: "provide tailscale",
    });
    expect(run(asking("tailscale"))).toMatchObject({ exitCode: 0 });
    expect(called()).toContainEqual(expect.stringMatching(/^curl -fsSL --retry 3 -o \S+install-tailscale\.sh https:/));
    expect(log()).toContain("vendor's installer");
  });

  it("that cannot be installed fail the bootstrap, by name, and the script does not run", () => {
    const { run, sentinel, log } = distribution({ apk: "exit 1", wget: "exit 4" });
    expect(run(asking("docker")).exitCode).toBe(69);
    expect(sentinel()).toMatchObject({ state: "failed", exitCode: 69 });
    expect(log()).toContain("slipway-bootstrap: docker could not be installed");
    expect(log()).not.toContain("user script");
  });

  it("are installed with sudo by a user who is not root", () => {
    const { run, called } = distribution({
      id: "echo 1000",
      sudo: 'case "$*" in *"install docker") provide docker ;; esac',
      zypper: "exit 1",
    });
    run(asking("docker"));
    expect(called()).toContain("sudo -n zypper --non-interactive install docker");
    expect(called().filter((call) => call.startsWith("zypper"))).toEqual([]);
  });
});
