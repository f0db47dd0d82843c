import { type Exec, nameFor } from "@slipway/core";
import { afterEach, describe, expect, test } from "vitest";
import { containerEmulator } from "../emulator/index.ts";
import { type AppleContainerOptions, type AppleContainerProvider, appleContainer } from "../src/index.ts";
import { failure } from "./failure.ts";
import { type FaultyExec, faultyExec } from "./faulty-exec.ts";

interface World extends FaultyExec {
  readonly container: ReturnType<typeof containerEmulator>;
  readonly provider: AppleContainerProvider;
  /** Another process: it shares nothing but the remote. */
  readonly another: (options?: Partial<AppleContainerOptions>) => AppleContainerProvider;
}

const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

function world(seed = 1): World {
  const container = containerEmulator();
  open.push(container);
  const faulty = faultyExec(container.exec, container.clock, seed);
  const another = (options: Partial<AppleContainerOptions> = {}): AppleContainerProvider =>
    appleContainer({ owner: "t", variables: {}, runtime: { exec: faulty.exec, clock: container.clock }, ...options });
  return { ...faulty, container, provider: another(), another };
}

const verbs = ({ sent }: World, verb: string): readonly (readonly string[])[] =>
  sent.filter(([first]) => first === verb);
const live = async ({ container }: World): Promise<number> => (await container.control.instances()).length;

describe("one key", () => {
  test("two processes at once make one container, and answer one id", async () => {
    const one = world();
    const racers = [one.provider, one.another(), one.another(), one.provider];
    const ids = await Promise.all(racers.map(async (each) => (await each.spawn({ key: "k" })).id));
    expect(new Set(ids).size).toBe(1);
    expect(await live(one)).toBe(1);
  });

  test("an id never means a later container of the key", async () => {
    const one = world();
    const first = await one.provider.spawn({ key: "k" });
    await one.provider.terminate(first.id);
    const second = await one.provider.spawn({ key: "k" });
    expect(second.nativeId).toBe(first.nativeId);
    expect(second.id).not.toBe(first.id);
    await one.provider.terminate(first.id);
    expect(await one.provider.get(first.id)).toBeNull();
    expect((await one.provider.get(second.nativeId))?.id).toBe(second.id);
    expect(await live(one)).toBe(1);
  });

  test.each(["reply-lost", "after"] as const)("an answer that is %s is looked up, and not repeated", async (when) => {
    const one = world();
    one.faults.add({ operation: "spawn", when, row: "service-interrupted" });
    const { status } = await one.provider.spawn({ key: "k" });
    expect(status).toBe("running");
    expect(verbs(one, "run")).toHaveLength(1);
  });

  test("what was created and never started is started by the next spawn, with its bootstrap", async () => {
    const one = world();
    const { id, nativeId } = await one.provider.spawn({ key: "k", bootstrap: { script: "exit 3" } });
    const bootstrap = () =>
      expect
        .poll(async () => (await one.provider.get(id))?.bootstrap, { timeout: 120_000 })
        .toEqual({
          state: "failed",
          exitCode: 3,
        });
    // Else what is forgotten would be killed in the middle of it, and that is an end of another kind.
    await bootstrap();
    await one.container.control.forgetStart(nativeId);
    expect((await one.provider.get(id))?.statusReason?.code).toBe("not-started");
    const again = await one.another().spawn({ key: "k", bootstrap: { script: "exit 3" } });
    expect(again).toMatchObject({ id, status: "running" });
    await bootstrap();
  });

  test("a client that died before it handed the bootstrap over leaves it to the next", async () => {
    const one = world();
    const options = { key: "k", bootstrap: { script: "exit 5" } };
    one.faults.add({ operation: "exec", when: "before", row: "service-down", times: 3 });
    const error = await failure(one.provider.spawn(options));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "applied" });
    const { id } = await one.another().spawn(options);
    await expect.poll(async () => (await one.provider.get(id))?.bootstrap).toEqual({ state: "failed", exitCode: 5 });
    expect(await live(one)).toBe(1);
  });

  test("a bootstrap is handed over once, however often the key is repeated", async () => {
    const one = world();
    const options = { key: "k", bootstrap: { script: "echo ran >>$SLIPWAY_BOOTSTRAP_DIR/../count; exit 0" } };
    const { id } = await one.provider.spawn(options);
    await Promise.all([one.another().spawn(options), one.another().spawn(options)]);
    await expect.poll(async () => (await one.provider.get(id))?.bootstrap?.state).toBe("succeeded");
    await one.another().spawn(options);
    expect(await live(one)).toBe(1);
  });

  test("an unmanaged machine of the name is left alone", async () => {
    const one = world();
    const name = nameFor("t", "k");
    await one.container.control.addUnmanaged(name);
    expect(await failure(one.provider.spawn({ key: "k" }))).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(await failure(one.provider.terminate(name))).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(await one.container.control.hasUnmanaged(name)).toBe(true);
  });
});

describe("a refused run", () => {
  test("takes another port where it had chosen it itself", async () => {
    const one = world();
    one.faults.add({ operation: "spawn", when: "before", row: "port-in-use" });
    const { ports } = await one.provider.spawn({ ports: [{ port: 80 }] });
    expect(ports).toMatchObject([{ port: 80, protocol: "tcp" }]);
    const published = verbs(one, "run").map((args) => args[args.indexOf("--publish") + 1]);
    expect(published).toHaveLength(2);
    expect(published.every((each) => /^127\.0\.0\.1:\d+:80\/tcp$/.test(each ?? ""))).toBe(true);
  });

  test("does not where the caller had", async () => {
    const one = world();
    one.faults.add({ operation: "spawn", when: "before", row: "port-in-use" });
    const error = await failure(one.provider.spawn({ ports: [{ port: 80, hostPort: 18080 }] }));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(verbs(one, "run")).toHaveLength(1);
  });

  test("that left a container behind has it taken away", async () => {
    const one = world();
    const exec: Exec = async (file, args, options) => {
      const result = await one.exec(file, args, options);
      if (args[0] !== "run") return result;
      const name = args[args.indexOf("--name") + 1] ?? "";
      await one.container.control.forgetStart(name);
      return { ...result, exitCode: 1, stdout: "", stderr: "Error: failed to bootstrap container (cause: x)\n" };
    };
    const error = await failure(one.another({ runtime: { exec, clock: one.container.clock } }).spawn({ key: "k" }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    expect(await live(one)).toBe(0);
  });
});

test.each([
  [{ resources: { cpus: 1.5 } }, "INVALID_SPEC"],
  [{ resources: { memoryBytes: 1024 } }, "INVALID_SPEC"],
  [{ resources: { diskBytes: 1024 } }, "UNSUPPORTED"],
  [{ image: "--privileged" }, "INVALID_SPEC"],
  [{ labels: { "dev.slipway.key": "x" } }, "INVALID_SPEC"],
  [{ labels: { "com.apple.container.plugin": "machine" } }, "INVALID_SPEC"],
  [{ volumes: [{ id: "v", mountPath: "/data:ro" }] }, "INVALID_SPEC"],
  [{ volumes: [{ id: "v", mountPath: "/a/../b" }] }, "INVALID_SPEC"],
  [
    {
      ports: [
        { port: 1, hostPort: 9000 },
        { port: 2, hostPort: 9000 },
      ],
    },
    "INVALID_SPEC",
  ],
] as const)("%j is refused without a command", async (options, code) => {
  const one = world();
  expect(await failure(one.provider.spawn(options))).toMatchObject({ code, effect: "none" });
  expect(one.sent).toEqual([]);
});

test("labels come back as they were given, whatever they hold", async () => {
  const one = world();
  const labels = { "a=b": "c=d==", "100%": "%3D", empty: "", ünï: "🚢 x" };
  const spawned = await one.provider.spawn({ key: "k=%3D", labels });
  expect(spawned).toMatchObject({ key: "k=%3D", labels });
  const given = verbs(one, "run")[0]?.filter((_each, at, all) => all[at - 1] === "--label") ?? [];
  expect(given.filter((label) => label.split("=").length !== 2)).toEqual([]);
});

test("no secret of a bootstrap stands in an argument list", async () => {
  const one = world();
  const bootstrap = {
    script: ": s3cret-script",
    environment: { A: "s3cret-value" },
    registrationToken: "s3cret-token",
  };
  await one.provider.spawn({ bootstrap });
  expect(JSON.stringify(one.sent)).not.toContain("s3cret");
});

describe("a bootstrap that is not taken at once", () => {
  const isDelivery = (args: readonly string[]): boolean => args.includes("slipway-deliver");

  test("is not handed to another's instance, which has the name meanwhile", async () => {
    const one = world();
    const given = { script: "echo mine" };
    let tries = 0;
    const exec: Exec = async (file, args, options) => {
      if (!isDelivery(args)) return await one.exec(file, args, options);
      tries += 1;
      const other = one.another();
      for (const { id } of await other.list()) await other.terminate(id);
      await other.spawn({ key: "k", bootstrap: { script: "echo theirs" } });
      return { exitCode: 1, signal: null, stdout: "", stderr: "Error: connection interrupted\n" };
    };
    const mine = one.another({ runtime: { exec, clock: one.container.clock } });
    const error = await failure(mine.spawn({ key: "k", bootstrap: given }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
    expect(tries).toBe(1);
  });

  test.each([
    ["of two lines", "s3cret\nof lines"],
    ["with two blanks", "s3cret  blanks"],
    ["at the end of what is kept", `${"x".repeat(390)}s3cret-at-the-cut`],
  ])("tells no secret %s", async (_title, value) => {
    const one = world();
    const secret = value.slice(value.indexOf("s3cret"));
    for (const exitCode of [1, 255]) {
      const exec: Exec = async (file, args, options) =>
        isDelivery(args)
          ? { exitCode, signal: null, stdout: "", stderr: `Error: sh: ${value}\n` }
          : await one.exec(file, args, options);
      const provider = one.another({ runtime: { exec, clock: one.container.clock } });
      const bootstrap = { script: "true", environment: { A: secret } };
      const error = await failure(provider.spawn({ key: `k-${exitCode}`, bootstrap }));
      expect(JSON.stringify([error, String(error)])).not.toContain("s3cret");
    }
  });
});

test("a removal that hangs is tried again with the machine killed", async () => {
  const one = world();
  const { id } = await one.provider.spawn({});
  let hangs = 1;
  const exec: Exec = async (file, args, options) => {
    if (args[0] === "delete" && hangs-- > 0) {
      return {
        exitCode: 1,
        signal: null,
        stdout: "",
        stderr: "Error: container x is running and can not be deleted\n",
      };
    }
    return await one.exec(file, args, options);
  };
  await one.another({ runtime: { exec, clock: one.container.clock } }).terminate(id);
  expect(verbs(one, "kill")).toHaveLength(1);
  expect(await live(one)).toBe(0);
});

describe("volumes", () => {
  const size = 1024 ** 3;

  test("are for one container at a time", async () => {
    const one = world();
    const { id } = await one.provider.createVolume({ key: "data", sizeBytes: size });
    const volumes = [{ id, mountPath: "/data" }];
    const first = await one.provider.spawn({ volumes });
    const error = await failure(one.provider.spawn({ volumes }));
    expect(error).toMatchObject({ code: "INVALID_STATE", effect: "none" });
    await one.provider.terminate(first.id);
    expect((await one.provider.spawn({ volumes })).volumes).toEqual(volumes);
  });

  test("are made once by two processes at once", async () => {
    const one = world();
    const made = await Promise.all(
      [one.provider, one.another()].map((each) => each.createVolume({ key: "data", sizeBytes: size })),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await one.container.control.volumes()).toHaveLength(1);
  });
});
