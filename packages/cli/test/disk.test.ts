import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { environment, nodeArguments, type Run, runProgram } from "./command-process.ts";

// A mount namespace of its own, so that a file system can be full or read-only for root too.
const asUser = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
const unshare = ["--mount", ...asUser];
const canMount = worksHere();

function worksHere(): boolean {
  if (process.platform !== "linux") return false;
  try {
    execFileSync("unshare", [...unshare, "sh", "-c", "mount -t tmpfs tmpfs /mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Runs a shell script in which `slipway <name> <args…>` runs the command and keeps what it answered under the name. */
async function inNamespace(script: string): Promise<(name: string) => Run> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-disk-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const results = join(directory, "results");
  for (const path of [results, join(directory, "disk"), join(directory, "real")]) mkdirSync(path);
  const words = [process.execPath, ...nodeArguments()].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const runner = `slipway() { name=$1; shift; ${words} "$@" >"${results}/$name.out" 2>"${results}/$name.err" && echo 0 >"${results}/$name.rc" || echo $? >"${results}/$name.rc"; }`;
  writeFileSync(join(directory, "script.sh"), `set -eu\ncd "${directory}"\n${runner}\n${script}\n`);
  const env = { ...environment(join(directory, "disk")), SLIPWAY_SANDBOX: "none" };
  const done = await runProgram("unshare", [...unshare, "sh", "script.sh"], { cwd: directory, env });
  expect(done).toMatchObject({ exitCode: 0, stderr: "" });
  const read = (name: string): string => readFileSync(join(results, name), "utf8");
  return (name) => ({ exitCode: Number(read(`${name}.rc`)), stdout: read(`${name}.out`), stderr: read(`${name}.err`) });
}

const idIn = ({ stdout }: Run): string => (JSON.parse(stdout) as { readonly id: string }).id;

it.runIf(canMount)(
  "a full disk is one clear line, and loses nothing",
  async () => {
    const result = await inNamespace(`
      mount -t tmpfs -o size=1M tmpfs disk
      dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null || :
      slipway first spawn --key a --json
      rm disk/fill
      slipway before spawn --key a --json
      dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null || :
      slipway full spawn --key b
      slipway ttl spawn --key c --ttl 1h
      slipway list list --json
      rm disk/fill
      slipway again spawn --key a --json
      slipway after spawn --key b --json
      slipway end terminate --all --yes --confirm
    `);
    expect(result("first").exitCode).toBe(1);
    expect(JSON.parse(result("first").stderr)).toMatchObject({ code: "DISK_FULL" });
    for (const name of ["full", "ttl"]) {
      expect(result(name)).toMatchObject({ exitCode: 1, stdout: "" });
      expect(result(name).stderr).toMatch(/^slipway: error (DISK_FULL|FULL): .*\(ENOSPC\)\n {2}hint .*\n$/);
    }
    expect(JSON.parse(result("list").stdout)).toMatchObject([{ id: idIn(result("before")), status: "running" }]);
    expect(idIn(result("again"))).toBe(idIn(result("before")));
    expect(result("after").exitCode).toBe(0);
    expect(result("end").exitCode).toBe(0);
  },
  60_000,
);

it.runIf(canMount)(
  "a read-only state directory is one clear line, and what runs is still found",
  async () => {
    const result = await inNamespace(`
      mount --bind real disk
      mount -o remount,bind,ro disk
      slipway empty spawn --key a
      umount disk
      XDG_STATE_HOME=$PWD/real
      slipway before spawn --key a --json
      mount --bind real disk
      mount -o remount,bind,ro disk
      XDG_STATE_HOME=$PWD/disk
      slipway repeat spawn --key a
      slipway list list --json
      slipway exec exec a -- echo hello
      slipway doctor doctor
      XDG_STATE_HOME=$PWD/real
      slipway end terminate --all --yes --confirm
    `);
    for (const name of ["empty", "repeat"]) {
      expect(result(name)).toMatchObject({ exitCode: 1, stdout: "" });
      expect(result(name).stderr).toMatch(/^slipway: error (STATE_READ_ONLY|READ_ONLY): .*\(EROFS\)\n {2}hint .*\n$/);
    }
    expect(JSON.parse(result("list").stdout)).toMatchObject([{ id: idIn(result("before")), status: "running" }]);
    expect(result("exec")).toMatchObject({ exitCode: 0, stdout: "hello\n" });
    expect(result("doctor").exitCode).toBe(1);
    expect(result("doctor").stdout).toMatch(/failed +state directory +STATE_READ_ONLY/);
    expect(result("end").exitCode).toBe(0);
  },
  60_000,
);
