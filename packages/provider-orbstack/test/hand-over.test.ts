import { nameFor } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failure } from "./failure.ts";
import { withoutBubblewrap } from "./needs-bubblewrap.ts";
import { OWNER, orbstackWorld, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = orbstackWorld();
});
afterEach(() => world.close());

const NAME = nameFor(OWNER, "a");
const idOf = async () => (await world.control.machines())[0]?.nativeId ?? "";

/** Another process, of whose hand-overs of this kind the first is done in another way. */
const handing = (kind: "slipway-tag" | "slipway-deliver", instead: World["exec"]) => {
  let has = false;
  const exec: World["exec"] = async (file, args, options) => {
    if (has || !args.includes(kind)) return await world.exec(file, args, options);
    has = true;
    return await instead(file, args, options);
  };
  return world.another({ runtime: { exec } });
};

describe("a machine that others ended and made anew under its name, while it was handed over", () => {
  const bootstrap = { script: "echo first >>/var/lib/slipway/runs" };
  const later = { key: "a", labels: { made: "later" }, bootstrap: { script: "echo later >>/var/lib/slipway/runs" } };
  const madeAnew = async (): Promise<string> => {
    await world.another().terminate(await idOf());
    return (await world.another().spawn(later)).id;
  };
  const isWhole = async (id: string): Promise<void> => {
    expect(await world.another().list()).toMatchObject([{ id, key: "a", labels: { made: "later" } }]);
    const runs = [
      "sh",
      "-c",
      "until [ -e /var/lib/slipway/bootstrap/done ]; do sleep 0.05; done; cat /var/lib/slipway/runs",
    ];
    expect((await world.another().exec(id, runs)).stdout).toBe("later\n");
  };

  test.skipIf(withoutBubblewrap !== null).each(["slipway-tag", "slipway-deliver"] as const)(
    "is not touched after a %s that failed",
    async (kind) => {
      let id = "";
      const cut = handing(kind, async () => {
        id = await madeAnew();
        return { exitCode: 1, signal: null, stdout: "", stderr: "[-32098] something\n" };
      });
      const error = await failure(cut.spawn({ key: "a", bootstrap }));
      expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "unknown", native: { code: "went-away" } });
      await isWhole(id);
    },
  );

  test.skipIf(withoutBubblewrap !== null).each(["slipway-tag", "slipway-deliver"] as const)(
    "refuses a %s that was on its way",
    async (kind) => {
      let id = "";
      const slow = handing(kind, async (file, args, options) => {
        id = await madeAnew();
        return await world.exec(file, args, options);
      });
      expect(await failure(slow.spawn({ key: "a", bootstrap }))).toMatchObject({
        code: "UNAVAILABLE",
        effect: "unknown",
      });
      await isWhole(id);
    },
  );

  test.skipIf(withoutBubblewrap !== null)("is not touched by one that hung until its time was over", async () => {
    let making: Promise<string> | undefined;
    const hung = handing("slipway-tag", async (file, args, options) => {
      making = madeAnew();
      await world.control.addFaults({ command: "run", does: "hang-before" });
      return await world.exec(file, args, options);
    });
    expect((await failure(hung.spawn({ key: "a", bootstrap }))).effect).toBe("unknown");
    await isWhole((await making) ?? "");
  });
});

test("what is handed over to an unmanaged machine that has the name by now is not run there", async () => {
  const provider = world.meanwhile("run", async () => {
    await world.control.remove(await idOf());
    await world.control.addUnmanaged(NAME);
  });
  const error = await failure(provider.spawn({ key: "a", bootstrap: { script: "echo secret >/ran" } }));
  expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  const left = await world.orbctl(["run", "-m", NAME, "-u", "root", "sh", "-c", "ls / /var/lib/slipway"]);
  expect(left.stdout).not.toMatch(/ran|bootstrap/);
});

test("a machine that another process ends before it is finished is not said to be there", async () => {
  const exec: World["exec"] = async (file, args, options) => {
    if (args[0] === "run" && (await idOf()) !== "") await world.another().terminate(await idOf());
    return await world.exec(file, args, options);
  };
  const error = await failure(world.another({ runtime: { exec } }).spawn({ key: "a" }));
  expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "unknown", retryable: true });
  expect(await world.control.machines()).toEqual([]);
});

test("a machine that somebody stops before it is finished is not started for it", async () => {
  const stopping = handing("slipway-tag", async () => {
    await world.control.stop(await idOf());
    return { exitCode: 1, signal: null, stdout: "", stderr: "[-32098] something\n" };
  });
  expect(await failure(stopping.spawn({ key: "a" }))).toMatchObject({ code: "UNAVAILABLE", effect: "applied" });
  expect(await world.control.machines()).toMatchObject([{ state: "stopped" }]);
});

test.each(["slipway-tag", "slipway-deliver"] as const)(
  "half of a %s is not taken, and it comes again",
  async (kind) => {
    const cut = handing(kind, (file, args, options) =>
      world.exec(file, args, { ...options, stdin: String(options?.stdin).slice(0, 40) }),
    );
    const { id } = await cut.spawn({ key: "a", labels: { x: "y" }, bootstrap: { script: "echo ran" } });
    expect(await world.another().get(id)).toMatchObject({ key: "a", labels: { x: "y" } });
    await expect.poll(async () => (await world.provider.get(id))?.bootstrap?.state).toBe("succeeded");
  },
);

test("an answer without the line that it began is not believed, whatever its number", async () => {
  const silent = handing("slipway-tag", async () => ({ exitCode: 0, signal: null, stdout: "", stderr: "" }));
  const { id } = await silent.spawn({ key: "a", labels: { x: "y" } });
  expect(await world.another().get(id)).toMatchObject({ key: "a", labels: { x: "y" } });
});

test("a tag that was removed inside is written anew, also by a process that has read it", async () => {
  const bootstrap = { script: "true" };
  const { id } = await world.provider.spawn({ key: "a", bootstrap });
  await world.provider.exec(id, ["rm", "/var/lib/slipway/tag.json"]);
  expect((await failure(world.provider.spawn({ key: "a", bootstrap }))).effect).toBe("applied");
  await world.provider.spawn({ key: "a", bootstrap });
  expect(await world.another().get(id)).toMatchObject({ id, key: "a" });
});

describe("what a failed hand-over printed", () => {
  const said = async (secret: string, stderr: string): Promise<string> => {
    const answer: World["exec"] = async (file, args, options) =>
      args.includes("slipway-deliver")
        ? { exitCode: 1, signal: null, stdout: "", stderr }
        : await world.exec(file, args, options);
    const provider = world.another({ runtime: { exec: answer } });
    const spawning = provider.spawn({ key: "a", bootstrap: { script: "true", environment: { TOKEN: secret } } });
    return (await failure(spawning)).message;
  };

  test.each([
    ["one word", "onewordsecret", /oneword/],
    ["two short lines", "hunter2\nhunter3", /hunter/],
    ["long lines", "-----BEGIN KEY-----\nMIIE_of_the_key\n-----END KEY-----", /MIIE/],
    ["two blanks", "correct  horse  battery", /horse/],
    ["a tab", "correct\thorse", /horse/],
  ])("tells no secret of %s, neither orbctl's nor a program's", async (_of, secret, part) => {
    expect(await said(secret, `panic: write ${secret}\n`)).not.toMatch(part);
    expect(await said(secret, `slipway: inside\ncat: ${secret}\n`)).not.toMatch(part);
  });

  test("tells no part of a secret that stands where it is cut", async () => {
    const secret = "abcdefghijklmnopqrstuvwxyz0123456789";
    expect(await said(secret, `${"x".repeat(385)} ${secret}\n`)).not.toContain("abcd");
    expect(await said(secret, `slipway: inside\n${"x".repeat(190)} ${secret}\n`)).not.toContain("abcd");
  });
});
