import { nameFor, specHash } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { userFor } from "../src/tags.ts";
import { failure } from "./failure.ts";
import { withoutBubblewrap } from "./needs-bubblewrap.ts";
import { OWNER, orbstackWorld, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = orbstackWorld();
});
afterEach(() => world.close());

const machines = () => world.control.machines();
const NAME = nameFor(OWNER, "a");
const plainUser = (key = "a") => userFor(specHash({ key, image: "ubuntu:noble" }));

describe("the command that creates", () => {
  test("has all that OrbStack takes, and nothing secret", async () => {
    const token = "very-secret-token";
    const resources = { cpus: 2, memoryBytes: 1_000_000_000, diskBytes: 20 * 1024 ** 3 + 1 };
    const image = "archlinux:current:amd64";
    const made = await world.provider.spawn({
      key: "a",
      image,
      resources,
      bootstrap: { script: `echo ${token}`, registrationToken: "another-secret" },
    });
    const create = world.sent.find(({ args }) => args[0] === "create");
    expect(create?.args).toEqual([
      ...["create", "--arch", "amd64", "--user", expect.stringMatching(/^slip-[0-9a-f]{24}$/), "--isolated"],
      ...["--cpus", "2", "--memory", "954M", "--disk", "21G", "arch:current", NAME],
    ]);
    expect(made).toMatchObject({
      image: "arch:current:amd64",
      isolated: true,
      resources: { cpus: 2, memoryBytes: 954 * 1024 ** 2, diskBytes: 21 * 1024 ** 3 },
    });
    for (const { args } of world.sent) expect(args.join(" ")).not.toMatch(/very-secret-token|another-secret/);
  });

  test("is the same for all ways to write an image", async () => {
    const { id } = await world.provider.spawn({ key: "a", image: "ubuntu:24.04" });
    expect((await world.provider.spawn({ key: "a", image: "ubuntu:noble" })).id).toBe(id);
    expect((await failure(world.provider.spawn({ key: "a", image: "ubuntu:jammy" }))).code).toBe("CONFLICT");
  });

  test("is never sent more than twice at once", async () => {
    let [now, most] = [0, 0];
    const exec: World["exec"] = async (file, args, options) => {
      const making = args[0] === "create" ? 1 : 0;
      now += making;
      most = Math.max(most, now);
      try {
        return await world.exec(file, args, options);
      } finally {
        now -= making;
      }
    };
    const provider = world.another({ runtime: { exec } });
    await Promise.all(["a", "b", "c", "d", "e"].map((key) => provider.spawn({ key })));
    expect(await machines()).toHaveLength(5);
    expect(most).toBe(2);
  });

  test.each([
    [{ resources: { cpus: 1.5 } }, "INVALID_SPEC"],
    [{ resources: { memoryBytes: 1024 } }, "INVALID_SPEC"],
    [{ resources: { diskBytes: 1024 } }, "INVALID_SPEC"],
    [{ image: "--privileged" }, "INVALID_SPEC"],
    [{ image: "ubuntu:24.04:riscv" }, "INVALID_SPEC"],
    [{ image: "ubuntu:24.04", fromSnapshot: "x" }, "INVALID_SPEC"],
    [{ labels: { "": "x" } }, "INVALID_SPEC"],
    [{ ports: [{ port: 80 }] }, "UNSUPPORTED"],
    [{ sshKeys: ["ssh-ed25519 AAAA me"] }, "UNSUPPORTED"],
    [{ bootstrap: { script: "x".repeat(2 * 1024 ** 2) } }, "INVALID_SPEC"],
  ])("%# is refused before any command", async (options, code) => {
    expect(await failure(world.provider.spawn({ key: "a", ...options }))).toMatchObject({ code, effect: "none" });
    expect(world.sent).toEqual([]);
  });
});

describe("a creation without an answer", () => {
  test("that goes on is waited for, tagged, and answered as if nothing had been", async () => {
    world.control.faults.add({ operation: "spawn", when: "reply-lost" });
    const made = await world.provider.spawn({ key: "a", labels: { x: "y" } });
    expect(made).toMatchObject({ status: "running", key: "a", labels: { x: "y" } });
    expect(await machines()).toMatchObject([{ name: NAME, key: "a", owner: OWNER }]);
  });

  test("of which nothing can be seen is unknown, and the next spawn adopts it", async () => {
    world.control.faults.add(
      { operation: "spawn", when: "reply-lost" },
      { operation: "info", when: "before", row: "services-late" },
    );
    expect(await failure(world.provider.spawn({ key: "a" }))).toMatchObject({ code: "TIMEOUT", effect: "unknown" });
    const [half] = await machines();
    expect(half).toMatchObject({ name: NAME, key: null });
    expect(await world.provider.list({ keys: ["a"] })).toMatchObject([
      { id: half?.nativeId, key: "a", owner: OWNER, statusReason: { code: "not-tagged" } },
    ]);
    const adopted = await world.another().spawn({ key: "a" });
    expect(adopted.id).toBe(half?.nativeId);
    expect(await machines()).toMatchObject([{ key: "a" }]);
  });

  test("that was refused with unknown words, and not done, is unknown", async () => {
    world.control.faults.add({ operation: "spawn", when: "before", row: "unknown" });
    expect(await failure(world.provider.spawn({ key: "a" }))).toMatchObject({ code: "INTERNAL", effect: "unknown" });
    expect(await machines()).toEqual([]);
  });

  test("that stays on its way is BUSY, and what was begun is not denied", async () => {
    await world.control.setLatencies({ create: 3_600_000 });
    expect(await failure(world.provider.spawn({ key: "a" }))).toMatchObject({ code: "BUSY", effect: "unknown" });
    await world.clock.sleep(3_600_000);
    expect(await world.provider.spawn({ key: "a" })).toMatchObject({ status: "running", key: "a" });
    expect(await machines()).toHaveLength(1);
  });

  test("that the caller aborts is unknown, and goes on", async () => {
    const stop = new AbortController();
    const spawning = failure(world.provider.spawn({ key: "a", signal: stop.signal }));
    await world.clock.sleep(5_000);
    stop.abort(new Error("enough"));
    expect(await spawning).toMatchObject({ code: "CANCELLED", effect: "unknown" });
    expect((await world.provider.spawn({ key: "a" })).status).toBe("running");
    expect(await machines()).toHaveLength(1);
  });
});

describe("a half-made machine", () => {
  const half = (user: string, name = NAME) =>
    world.orbctl(["create", "--user", user, "--isolated", "ubuntu:24.04", name]);

  test("of the same spec is finished, with its bootstrap", async () => {
    const bootstrap = { script: "echo up" };
    const hash = specHash({ key: "a", image: "ubuntu:noble", bootstrap: world.provider.generateBootstrap(bootstrap) });
    await half(userFor(hash));
    const made = await world.provider.spawn({ key: "a", bootstrap });
    expect(made).toMatchObject({ key: "a", specHash: hash });
    expect(made.bootstrap).toBeDefined();
  });

  test("that was stopped meanwhile is started for it", async () => {
    await half(plainUser());
    await world.orbctl(["stop", NAME]);
    expect(await world.provider.spawn({ key: "a" })).toMatchObject({ status: "running", key: "a" });
  });

  test("of another spec is CONFLICT, with its id", async () => {
    await half(userFor(`sha256:${"0".repeat(64)}`));
    const [there] = await machines();
    const error = await failure(world.provider.spawn({ key: "a" }));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: there?.nativeId } });
    await world.provider.terminate(there?.nativeId ?? "");
    expect(await machines()).toEqual([]);
  });

  test("that sees this Mac's files, while an isolated one is asked for, is CONFLICT", async () => {
    await world.orbctl(["create", "--user", plainUser(), "ubuntu:24.04", NAME]);
    expect(await failure(world.provider.spawn({ key: "a" }))).toMatchObject({ code: "CONFLICT", effect: "none" });
  });

  test("with another user is an unmanaged machine: neither listed, nor adopted, nor ended", async () => {
    await half("alice");
    const [there] = await machines();
    expect((await failure(world.provider.spawn({ key: "a" }))).code).toBe("CONFLICT");
    expect(await world.provider.list({ owner: "*" })).toEqual([]);
    expect(await world.provider.get(there?.nativeId ?? "")).toMatchObject({ key: null, owner: null });
    expect((await failure(world.provider.terminate(there?.nativeId ?? ""))).code).toBe("CONFLICT");
    expect(await machines()).toMatchObject([{ state: "running" }]);
  });

  test("that was removed by hand right after it was made makes space for a new one", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.remove(id);
    const { id: next, key } = await world.provider.spawn({ key: "a" });
    expect([next === id, key]).toEqual([false, "a"]);
    expect(await world.provider.spawn({ key: "a" })).toMatchObject({ id: next });
    expect(await machines()).toMatchObject([{ state: "running" }]);
  });

  test("that another process is making now is waited for, and not made twice", async () => {
    const both = await Promise.all([world.provider.spawn({ key: "a" }), world.another().spawn({ key: "a" })]);
    expect(both[0].id).toBe(both[1].id);
    expect(await machines()).toHaveLength(1);
  });

  test("that another process is making in vain: who has waited for it asks for itself", async () => {
    await world.control.setIpPool(0);
    let first: Promise<unknown> = Promise.resolve();
    const waiting = world.meanwhile("create", async () => {
      first = failure(world.another().spawn({ key: "a" }));
      await world.clock.sleep(1_000);
    });
    const error = await failure(waiting.spawn({ key: "a" }));
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", effect: "none", native: { code: "no-address" } });
    expect(await first).toMatchObject({ code: "CAPACITY_ERROR", effect: "none" });
    expect(world.verbs().filter((verb) => verb === "create")).toHaveLength(3);
  });

  test("that stays in creation is BUSY after a while", async () => {
    await world.control.setLatencies({ create: 3_600_000 });
    const [first, second] = [world.provider.spawn({ key: "a" }).catch(() => undefined), world.another()];
    await world.clock.sleep(1_000);
    expect(await failure(second.spawn({ key: "a" }))).toMatchObject({ code: "BUSY", effect: "none" });
    await first;
  });
});

describe("the circuit breaker", () => {
  test("opens at the second creation without an address, and tries again when its time is over", async () => {
    await world.control.setIpPool(0);
    for (const key of ["a", "b"]) {
      const error = await failure(world.provider.spawn({ key }));
      expect(error).toMatchObject({
        code: "CAPACITY_ERROR",
        effect: "none",
        scope: "provider",
        native: { code: "no-address" },
      });
    }
    world.verbs();
    const error = await failure(world.provider.spawn({ key: "c" }));
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", effect: "none", retryAfterMs: 60_000 });
    expect(error.message).toContain("network.subnet4");
    expect(world.verbs()).not.toContain("create");
    await world.clock.sleep(60_000);
    expect((await failure(world.provider.spawn({ key: "c" }))).native?.code).toBe("no-address");
    expect((await failure(world.provider.spawn({ key: "c" }))).retryAfterMs).toBe(120_000);
    await world.clock.sleep(120_000);
    await world.control.setIpPool(5);
    for (const key of ["c", "d"]) expect((await world.provider.spawn({ key })).status).toBe("running");
  });

  test("still answers instances that are there", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.setIpPool(0);
    for (const key of ["b", "c"]) await failure(world.provider.spawn({ key }));
    expect((await world.provider.spawn({ key: "a" })).id).toBe(id);
  });
});

describe("the bootstrap", () => {
  test.skipIf(withoutBubblewrap !== null)(
    "runs once, however often it is handed over, and leaves no script",
    async () => {
      const bootstrap = { script: "echo ran >>/var/lib/slipway/runs; exit 3" };
      const { id } = await world.provider.spawn({ key: "a", bootstrap });
      await Promise.all([1, 2, 3].map(() => world.another().spawn({ key: "a", bootstrap })));
      await expect
        .poll(async () => (await world.provider.get(id))?.bootstrap)
        .toEqual({ state: "failed", exitCode: 3 });
      await world.provider.spawn({ key: "a", bootstrap });
      const left = await world.provider.exec(id, [
        "sh",
        "-c",
        "cat /var/lib/slipway/runs; ls /var/lib/slipway/bootstrap",
      ]);
      expect(left.stdout).toMatch(/^ran\n/);
      expect(left.stdout.match(/ran/g)).toHaveLength(1);
      expect(left.stdout).not.toContain("bootstrap.sh");
    },
  );

  test("that could not be handed over is applied, and the next spawn hands it over", async () => {
    const bootstrap = { script: "exit 0" };
    world.control.faults.add({ operation: "run", when: "before", row: "services-late", times: 3 });
    const error = await failure(world.provider.spawn({ key: "a", bootstrap }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "applied" });
    const { id } = await world.provider.spawn({ key: "a", bootstrap });
    await expect.poll(async () => (await world.provider.get(id))?.bootstrap?.state).toBe("succeeded");
    expect(await machines()).toHaveLength(1);
  });
});
