import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mountArguments } from "../../src/sandbox/bubblewrap.ts";
import { execInSandbox, sandboxExitCode, sandboxState, startSandbox } from "../../src/sandbox/index.ts";
import { sandboxLayout } from "../../src/sandbox/layout.ts";
import { isolations, scratch, started, withoutBubblewrap } from "./sandboxes.ts";

const [best] = isolations;
if (best === undefined) throw new Error("there is always an isolation");

// Asks only (access(2)); nothing is written. What is mounted read-only is walked too, but for the large system trees. A
// character device in /proc is the null device over a masked file.
const WALK =
  "find / -path '/proc/[0-9]*' -prune -o -path /usr -prune -o -path /nix -prune -o -path '/proc/*' -exec test -c {} ';' -prune -o ! -type l -writable -print 2>/dev/null";
// The same from namespaces that are nested in the sandbox's own, with every capability in them: what can be mounted there
// is mounted and walked. `--keep-caps` needs no mapping of users, which is refused to a root without SETFCAP.
const KERNEL_FILE_SYSTEMS =
  "proc sysfs cgroup2 cgroup mqueue securityfs debugfs tracefs bpf fusectl pstore efivarfs configfs hugetlbfs devtmpfs selinuxfs";
const CGROUP_CONTROLLERS = "cpu cpuset memory devices freezer pids blkio net_cls";
const MOUNT_AND_WALK = [
  `for type in ${KERNEL_FILE_SYSTEMS}; do mkdir -p /tmp/nested/$type; mount -n -t $type none /tmp/nested/$type; done`,
  `for one in ${CGROUP_CONTROLLERS}; do mkdir -p /tmp/nested/$one; mount -n -t cgroup -o $one none /tmp/nested/$one; done`,
  "mount -n -o remount,rw,bind /usr; mount -n -o remount,rw,bind /proc/sys; umount -n /proc/sys /proc/kcore",
  "cat /proc/self/mountinfo | cut -d ' ' -f 5 | grep ^/tmp/nested/ | while read -r at; do find $at -maxdepth 2 ! -type l -writable; done",
  "[ ! -w /usr ] || echo /usr; [ ! -w /proc/sys/kernel/core_pattern ] || echo /proc/sys",
].join("\n");
const NESTED_NAMESPACES: readonly string[] = [
  "-U -r -m",
  "-U -r -m -C",
  "-U --keep-caps -m",
  "-U --keep-caps -m -C",
  "-U --keep-caps -m -C -i -n -p --fork",
  "-m -C",
];
const OWN =
  /^\/($|(etc|home|opt|root|run|srv|tmp|var)(\/|$)|dev($|\/(shm|pts|mqueue)(\/|$)|\/(null|zero|full|random|urandom|tty)$))/;

describe.skipIf(withoutBubblewrap !== null)(`the boundary of bubblewrap (${withoutBubblewrap ?? "it works"})`, () => {
  test("nothing of the host is writable inside, and the kernel's own files least of all", async () => {
    const sandbox = await started(best);
    const { stdout } = await execInSandbox(sandbox, ["sh", "-c", WALK]);
    const found = stdout.trim().split("\n");
    expect(found).toContain("/tmp");
    // The directory itself takes no file, whoever asks.
    expect(found.filter((path) => !OWN.test(path) && path !== "/proc")).toEqual([]);
    const [usr] = (await execInSandbox(sandbox, ["sh", "-c", "[ -w /usr ] || echo closed"])).stdout.split("\n");
    expect(usr).toBe("closed");
  });

  test.each(NESTED_NAMESPACES)("nothing of the host is writable from namespaces inside: unshare %s", async (flags) => {
    const sandbox = await started(best);
    const walk = (...words: readonly string[]) =>
      execInSandbox(sandbox, [...words, "sh", "-c", `exec 2>/dev/null\n${MOUNT_AND_WALK}`]);
    // The walk itself works.
    expect((await walk()).exitCode).toBe(0);
    const { stdout } = await walk("unshare", ...flags.split(" "));
    expect(stdout).toBe("");
  });

  test("no namespace of users can be made inside, by the first process or by one that entered", async () => {
    const argv = ["sh", "-c", "unshare -U true 2>/dev/null; echo $? >/tmp/code; sleep 1000"];
    const sandbox = await started(best, { argv });
    const look = "until [ -s /tmp/code ]; do :; done; cat /tmp/code; unshare -U true 2>/dev/null; echo $?";
    expect((await execInSandbox(sandbox, ["sh", "-c", look])).stdout).toBe("1\n1\n");
  });

  test("what tells of the kernel is masked, and cannot be uncovered", async () => {
    const sandbox = await started(best);
    const masked = ["kcore", "keys", "key-users", "timer_list", "latency_stats", "sysrq-trigger", "kpageflags"];
    const look = masked.map((name) => `[ ! -e /proc/${name} ] || [ -c /proc/${name} ] || echo ${name}`).join("; ");
    expect((await execInSandbox(sandbox, ["sh", "-c", look])).stdout).toBe("");
    const again = "umount /proc/sys || mount -o remount,rw,bind /proc/sys || mount -t proc proc /proc";
    expect((await execInSandbox(sandbox, ["sh", "-c", again])).exitCode).not.toBe(0);
  });

  test("its processes hold no capability beyond the table, entered or not", async () => {
    const sandbox = await started(best, { argv: ["sh", "-c", "grep ^Cap /proc/self/status >/tmp/caps; sleep 1000"] });
    const { stdout } = await execInSandbox(sandbox, [
      "sh",
      "-c",
      "until [ -s /tmp/caps ]; do :; done; cat /tmp/caps; grep ^Cap /proc/self/status",
    ]);
    const sets = [...stdout.matchAll(/^Cap(?:Prm|Eff|Bnd|Amb):\s*([0-9a-f]+)$/gm)].map(([, bits]) =>
      BigInt(`0x${bits}`),
    );
    expect(sets).toHaveLength(8);
    // chown, dac_override, fowner, kill, setgid, setuid, net_bind_service, sys_chroot.
    const table = [0, 1, 3, 5, 6, 7, 10, 18].reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n);
    expect(sets.filter((bits) => (bits & ~table) !== 0n)).toEqual([]);
  });

  test.each(["etc/ssl", "run/slipway", "etc/alternatives", "etc/resolv.conf", "run/.slipway-attempt"])(
    "a root that somebody prepared with a link at %s creates nothing outside",
    async (place) => {
      const directory = scratch();
      const outside = scratch();
      mkdirSync(join(directory, "root", place, ".."), { recursive: true });
      symlinkSync(`../../oldroot${outside}/made`, join(directory, "root", place));
      await started(best, { directory });
      expect(readdirSync(outside)).toEqual([]);
    },
  );

  test.each(["itself", "the way to it"])(
    "a root with a link at every place of a mount, or %s, creates nothing outside",
    async (what) => {
      const directory = scratch();
      const outside = scratch();
      const words = mountArguments(sandboxLayout(directory), []);
      const targets = words.filter(
        (_, at) =>
          /^--(ro-)?bind(-try)?$/.test(words[at - 2] ?? "") || /^--(proc|dev|tmpfs)$/.test(words[at - 1] ?? ""),
      );
      expect(targets).toContain("/etc/ssl");
      mkdirSync(join(directory, "root"));
      for (const target of targets.filter((path) => path !== "/" && !path.startsWith("/proc/"))) {
        const place = join(directory, "root", what === "itself" ? target : (target.split("/")[1] ?? ""));
        if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) continue;
        mkdirSync(join(place, ".."), { recursive: true });
        symlinkSync(`../../../oldroot${outside}/made`, place);
      }
      await started(best, { directory });
      expect(readdirSync(outside)).toEqual([]);
    },
  );

  test("a bind whose target leads through a link is refused, and nothing is made", async () => {
    const directory = scratch();
    const outside = scratch();
    mkdirSync(join(directory, "root/srv"), { recursive: true });
    symlinkSync(`../../oldroot${outside}`, join(directory, "root/srv/link"));
    const binds = [{ source: scratch(), target: "/srv/link/data" }];
    await expect(
      startSandbox({ id: `linked-${process.pid}`, directory, isolation: best, argv: ["true"], binds }),
    ).rejects.toMatchObject({ reason: "invalid" });
    expect(existsSync(join(outside, "data"))).toBe(false);
  });
});

describe.each(isolations)("a short command with $isolation", (isolation) => {
  test("that ends at once was started, and its exit code is told", async () => {
    const starting = started(isolation, { argv: ["sh", "-c", "exit 3"] });
    // Nothing that the start prints is heard before the command has had all the time to end.
    spawnSync("sleep", ["0.3"]);
    const sandbox = await starting;
    await expect.poll(() => sandboxExitCode(sandbox.directory), { timeout: 5_000, interval: 10 }).toBe(3);
    expect(await sandboxState(sandbox)).toBe("dead");
  });

  test("returns at its exit though something in the background goes on printing", async () => {
    const sandbox = await started(isolation);
    const script = "(while :; do echo more; sleep 0.02; done) & echo first; exit 4";
    const result = await execInSandbox(sandbox, ["sh", "-c", script]);
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/^(more\n)*first\n/);
  }, 120_000);

  test("that printed too much is an error, whatever its exit code", async () => {
    const sandbox = await started(isolation);
    const script = "head -c 60000 /dev/zero; exit 0";
    await expect(execInSandbox(sandbox, ["sh", "-c", script], { maxOutput: 50_000 })).rejects.toMatchObject({
      reason: "too-much-output",
    });
  });
});
