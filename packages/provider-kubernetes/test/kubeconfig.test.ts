import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { accessFrom } from "../src/access/kubeconfig.ts";
import { failure, kubeconfig, newFolder, refuse, writeKubeconfig } from "./world.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a kubeconfig", () => {
  test("gives server, namespace and token of the current context", async () => {
    const file = await writeKubeconfig(kubeconfig({ cluster: { "certificate-authority-data": base64("CA") } }));
    expect(await accessFrom({ kubeconfig: file }, refuse)).toMatchObject({
      context: "here",
      server: "https://127.0.0.1:6443",
      namespace: "machines",
      tls: { ca: "CA", insecure: false },
      source: { kind: "token", token: "a-secret-token" },
    });
    expect(await accessFrom({ kubeconfig: file, namespace: "other" }, refuse)).toMatchObject({ namespace: "other" });
  });

  test("takes paths from where the file is", async () => {
    const folder = await newFolder();
    await writeFile(path.join(folder, "ca.crt"), "CA");
    await writeFile(path.join(folder, "me.crt"), "CERT");
    await writeFile(path.join(folder, "me.key"), "KEY");
    const user = { "client-certificate": "me.crt", "client-key": "me.key", tokenFile: "token" };
    const text = kubeconfig({ cluster: { "certificate-authority": "ca.crt", "tls-server-name": "api" }, user });
    await writeFile(path.join(folder, "config"), text);
    const access = await accessFrom({ kubeconfig: path.join(folder, "config") }, refuse);
    expect(access.tls).toEqual({ ca: "CA", cert: "CERT", key: "KEY", servername: "api", insecure: false });
    expect(access.source).toEqual({ kind: "file", path: path.join(folder, "token") });
  });

  test("of several files takes the first that names a thing, and goes on without one that is missing", async () => {
    const first = await writeKubeconfig(JSON.stringify({ users: [{ name: "u", user: { token: "of-the-first" } }] }));
    const second = await writeKubeconfig(kubeconfig());
    const paths = [first, "/nowhere/config", second].join(path.delimiter);
    expect(await accessFrom({ kubeconfig: paths }, refuse)).toMatchObject({
      server: "https://127.0.0.1:6443",
      source: { kind: "token", token: "of-the-first" },
    });
  });

  test("with an exec plugin names the command, relative to the file only if it has a slash", async () => {
    const exec = { command: "bin/login", args: ["--now"], env: [{ name: "A", value: "1" }], installHint: "get it" };
    const file = await writeKubeconfig(kubeconfig({ user: { exec } }));
    const { source } = await accessFrom({ kubeconfig: file }, refuse);
    expect(source).toMatchObject({
      kind: "exec",
      plugin: {
        command: path.join(path.dirname(file), "bin/login"),
        args: ["--now"],
        env: { A: "1" },
        installHint: "get it",
      },
    });
    const named = await writeKubeconfig(kubeconfig({ user: { exec: { command: "login" } } }));
    expect(await accessFrom({ kubeconfig: named }, refuse)).toMatchObject({ source: { plugin: { command: "login" } } });
  });
});

describe("says in one line what is wrong", () => {
  test.each([
    ["no file", async () => "/nowhere/config", {}, "AUTH_ERROR", "there is no kubeconfig at /nowhere/config"],
    ["no YAML", () => writeKubeconfig("token: [a-secret-token"), {}, "INVALID_SPEC", "is not a kubeconfig"],
    ["an unknown context", () => writeKubeconfig(kubeconfig()), { context: "x" }, "INVALID_SPEC", 'no context "x"'],
    [
      "no current context",
      () => writeKubeconfig(kubeconfig({ more: { "current-context": "" } })),
      {},
      "INVALID_SPEC",
      "no current context",
    ],
    [
      "an unknown cluster",
      () => writeKubeconfig(kubeconfig({ more: { clusters: [] } })),
      {},
      "INVALID_SPEC",
      'cluster "c"',
    ],
    ["an unknown user", () => writeKubeconfig(kubeconfig({ more: { users: null } })), {}, "INVALID_SPEC", 'user "u"'],
    [
      "a proxy",
      () => writeKubeconfig(kubeconfig({ cluster: { "proxy-url": "http://p" } })),
      {},
      "UNSUPPORTED",
      "proxy-url",
    ],
    [
      "a certificate that is missing",
      () => writeKubeconfig(kubeconfig({ cluster: { "certificate-authority": "gone.crt" } })),
      {},
      "AUTH_ERROR",
      "gone.crt, which cannot be read",
    ],
  ])("%s", async (_, file, more, code, says) => {
    const error = await failure(accessFrom({ kubeconfig: await file(), ...more }, refuse));
    expect(error).toMatchObject({ code, effect: "none" });
    expect(error.message).toContain(says);
    expect(error.message.split("\n")).toHaveLength(1);
    expect(JSON.stringify(error)).not.toContain("a-secret-token");
  });
});
