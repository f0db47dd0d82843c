import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BOOTSTRAP_LOG_PATH } from "@slipway/provider-kit/bootstrap";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { timeIn } from "../src/context.ts";
import { canonicalImage, imageText, imageWord, parseImage } from "../src/images.ts";
import { parseTag } from "../src/tags.ts";
import { failure } from "./failure.ts";
import { withoutBubblewrap } from "./needs-bubblewrap.ts";
import { orbstackWorld, type World } from "./world.ts";

let world: World;
let folder: string;
beforeEach(() => {
  world = orbstackWorld();
  folder = mkdtempSync(join(tmpdir(), "slipway-files-"));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await world.close();
});

describe("files", () => {
  test.skipIf(withoutBubblewrap !== null)("go in and out, also of a stopped instance", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    writeFileSync(join(folder, "in"), "text");
    await world.provider.push(id, join(folder, "in"), "/srv/file");
    expect((await world.provider.exec(id, ["cat", "/srv/file"])).stdout).toBe("text");
    await world.control.stop(id);
    await world.provider.pull(id, "/srv/file", join(folder, "out"));
    expect(readFileSync(join(folder, "out"), "utf8")).toBe("text");
    expect((await world.provider.get(id))?.status).toBe("stopped");
  });

  test("of nobody, and with paths that are flags, are refused", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    expect((await failure(world.provider.pull("01KHVDCW7HTAGRPMB823KADP9B", "/a", "/b"))).code).toBe("NOT_FOUND");
    expect(await failure(world.provider.push(id, "-m", "/b"))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(await failure(world.provider.push(id, "/a", ""))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(await failure(world.provider.push(id, join(folder, "no-such"), "/b"))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
    });
    expect((await failure(world.provider.pull(id, "/no/such", join(folder, "x")))).effect).toBe("none");
  });
});

describe("logs", () => {
  const linesOf = async (lines: AsyncIterable<string>): Promise<readonly string[]> => {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return all;
  };

  test("are what the bootstrap printed, also of a stopped instance", async () => {
    const { id } = await world.provider.spawn({
      key: "a",
      bootstrap: { script: "echo one; echo two >&2; printf three" },
    });
    await expect.poll(async () => (await world.provider.get(id))?.bootstrap?.state).toBe("succeeded");
    expect(await linesOf(world.provider.logs(id))).toEqual(["one", "two", "three"]);
    await world.control.stop(id);
    expect(await linesOf(world.provider.logs(id))).toEqual(["one", "two", "three"]);
  });

  test.skipIf(withoutBubblewrap !== null)("are followed until the instance ends, each line once", async () => {
    const script = "echo one; until [ -e /var/lib/slipway/go ]; do sleep 0.05; done; echo two; sleep 60";
    const { id } = await world.provider.spawn({ key: "a", bootstrap: { script } });
    const seen: string[] = [];
    for await (const line of world.provider.logs(id, { follow: true })) {
      seen.push(line);
      if (line === "one") await world.provider.exec(id, ["touch", "/var/lib/slipway/go"]);
      if (line === "two") await world.control.stop(id);
    }
    expect(seen).toEqual(["one", "two"]);
  });

  test("that are followed lose nothing of what was printed right before the stop", async () => {
    const exec: World["exec"] = async (file, args, options) => {
      const isStopping = (await world.control.machines()).some(({ state }) => state === "stopping");
      if (args[0] !== "pull" || !isStopping) return await world.exec(file, args, options);
      return { exitCode: 1, signal: null, stdout: "", stderr: "[-32098] cannot transition from stopping to running\n" };
    };
    const following = world.another({ runtime: { exec } });
    const { id } = await world.provider.spawn({ key: "a", bootstrap: { script: "echo one" } });
    await expect.poll(async () => (await world.provider.get(id))?.bootstrap?.state).toBe("succeeded");
    await world.control.setLatencies({ stop: 5_000 });
    const seen: string[] = [];
    for await (const line of following.logs(id, { follow: true })) {
      seen.push(line);
      if (line !== "one") continue;
      await world.provider.exec(id, ["sh", "-c", `printf 'two\\nthree' >>${BOOTSTRAP_LOG_PATH}`]);
      void world.orbctl(["stop", id]);
      await world.clock.sleep(1_000);
    }
    expect(seen).toEqual(["one", "two", "three"]);
    expect(await linesOf(world.provider.logs(id))).toEqual(seen);
  });

  test("that are followed end with an instance that is ended", async () => {
    const { id } = await world.provider.spawn({ key: "a", bootstrap: { script: "echo one" } });
    await expect.poll(async () => (await world.provider.get(id))?.bootstrap?.state).toBe("succeeded");
    const seen: string[] = [];
    for await (const line of world.provider.logs(id, { follow: true })) {
      seen.push(line);
      await world.provider.terminate(id);
    }
    expect(seen).toEqual(["one"]);
  });

  test("of an instance without a bootstrap are none, and of nobody NOT_FOUND", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    expect(await linesOf(world.provider.logs(id))).toEqual([]);
    expect((await failure(linesOf(world.provider.logs("nobody")))).code).toBe("NOT_FOUND");
  });
});

test.each([
  ["ubuntu:24.04", "ubuntu:noble", "ubuntu:24.04", undefined],
  ["ubuntu:noble:amd64", "ubuntu:noble:amd64", "ubuntu:noble", "amd64"],
  ["ubuntu", "ubuntu", "ubuntu", undefined],
  ["debian:12", "debian:bookworm", "debian:12", undefined],
  ["archlinux:current:arm64", "archlinux:current:arm64", "arch:current", "arm64"],
  ["arch", "archlinux", "arch", undefined],
  ["voidlinux", "voidlinux", "void", undefined],
  ["alpine:amd64", "alpine:amd64", "alpine", "amd64"],
])("the image %s is %s, and `create` takes %s", (text, canonical, word, arch) => {
  const image = parseImage(text);
  if (image === null) throw new Error("it is no image");
  expect([canonicalImage(image), imageWord(image), image.arch]).toEqual([canonical, word, arch]);
});

test.each(["", ":", "ubuntu:", "ubuntu:1:2:3", "-x", "a b", "ubuntu:noble:mips", "\u0000"])(
  "%j is no image",
  (text) => {
    expect(parseImage(text)).toBeNull();
  },
);

test("an image of an answer can be asked for again", () => {
  const text = imageText({ distro: "archlinux", version: "current", arch: "arm64" });
  expect(text).toBe("arch:current:arm64");
  expect(parseImage(text)).toEqual({ distro: "arch", version: "current", arch: "arm64" });
});

test("an id tells when it was made", () => {
  expect(timeIn("01K2G8TY5GM9C3CN95KCB4ZG8B")).toBe("2025-08-12T23:11:22.800Z");
  for (const id of ["", "docker", "00000000000000000000000000", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"]) {
    expect(timeIn(id)).toBeNull();
  }
});

test.each(["", "null", "{", "[]", '{"id":1}', '{"id":"x","owner":"o","key":"k","specHash":"h"}'])(
  "%j is no tag",
  (text) => {
    expect(parseTag(text)).toBeNull();
  },
);
