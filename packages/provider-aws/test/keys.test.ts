import { CreateTagsCommand } from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { CREDENTIALS } from "./aws-harness.ts";
import { ec2Client } from "./emulator/sdk.ts";
import { type AwsWorld, awsWorld, failure, refusedWith, through } from "./world.ts";

const spec = { spec: "t3.micro" } as const;
const live = ({ emulator }: AwsWorld) => emulator.control.instances().filter((one) => one.live);

describe("what this process has launched just now and EC2 shows as ended", () => {
  const ended = async (end: (world: AwsWorld, id: string) => Promise<void> | void) => {
    const world = awsWorld({ endMs: 1_000 }, { readAfterWriteMs: 30_000 });
    const first = await world.provider.spawn({ ...spec, key: "k" });
    await end(world, first.id);
    await world.emulator.clock.sleep(5_000);
    expect((await world.provider.get(first.id))?.status).toBe("terminated");
    return { ...world, first };
  };

  test.each<readonly [string, (world: AwsWorld, id: string) => Promise<void> | void]>([
    ["by another process", (world, id) => world.another().terminate(id)],
    ["by EC2", ({ emulator }, id) => emulator.control.crash(id)],
  ])("%s: a spawn of the key makes a new one", async (_by, end) => {
    const world = await ended(end);
    const again = await world.provider.spawn({ ...spec, key: "k" });
    expect(again.id).not.toBe(world.first.id);
    expect(live(world).map(({ id }) => id)).toEqual([again.nativeId]);
  });

  test("is no conflict with another spec", async () => {
    const world = await ended((one, id) => one.another().terminate(id));
    const again = await world.provider.spawn({ spec: "t3.small", key: "k" });
    expect(again.id).not.toBe(world.first.id);
  });
});

test("what this process has launched and ended just now is no answer, though no listing shows either", async () => {
  const world = awsWorld({ readLagMs: 4_000, endMs: 0 });
  const first = await world.provider.spawn({ ...spec, key: "k" });
  await world.provider.terminate(first.id);
  const again = await world.provider.spawn({ ...spec, key: "k" });
  expect(again.id).not.toBe(first.id);
  expect(live(world).map(({ id }) => id)).toEqual([again.nativeId]);
});

describe("an instance of the key that is ending", () => {
  const ending = async (end: (world: AwsWorld, id: string) => Promise<void> | void, readLagMs = 0) => {
    const world = awsWorld({ bootMs: 1_000, endMs: 60_000, readLagMs }, { readAfterWriteMs: 5_000 });
    const first = await world.provider.spawn({ ...spec, key: "k" });
    await world.emulator.clock.sleep(30_000);
    await end(world, first.id);
    return { ...world, first };
  };

  test.each<readonly [string, (world: AwsWorld, id: string) => Promise<void> | void]>([
    ["by this process", (world, id) => world.provider.terminate(id)],
    ["by another process", (world, id) => world.another().terminate(id)],
    ["by EC2", ({ emulator }, id) => emulator.control.setState(id, "shutting-down")],
  ])("%s: a spawn makes a new one, and the next spawn finds that", async (_by, end) => {
    const world = await ending(end);
    expect((await world.provider.get(world.first.id))?.status).toBe("terminating");
    const again = await world.provider.spawn({ ...spec, key: "k" });
    expect(again.id).not.toBe(world.first.id);
    expect(again.generation).toBe(1);
    expect((await world.another().spawn({ ...spec, key: "k" })).id).toBe(again.id);
    expect(live(world).map(({ id }) => id)).toEqual([again.nativeId]);
  });

  test("is no conflict with another spec", async () => {
    const world = await ending((one, id) => one.another().terminate(id));
    expect((await world.another().spawn({ spec: "t3.small", key: "k" })).id).not.toBe(world.first.id);
  });

  test("is known to be ending where this process ended it, though reads still show it as running", async () => {
    const world = await ending((one, id) => one.provider.terminate(id), 4_000);
    expect((await world.another().get(world.first.id))?.status).toBe("running");
    const again = await world.provider.spawn({ ...spec, key: "k" });
    expect(again.id).not.toBe(world.first.id);
  });

  test("is no answer where EC2 repeats it for its token", async () => {
    const world = await ending(() => undefined);
    let runs = 0;
    const provider = through(world, async ({ action, parameters }, send) => {
      // No listing shows it, and EC2 answers the repeated token with an instance that shuts down.
      if (action === "DescribeInstances") return await send((given) => given.set("Filter.1.Value.1", "nobody"));
      if (action !== "RunInstances") return await send();
      runs += 1;
      const answer = await send();
      if (runs > 1) return answer;
      expect(parameters.get("ClientToken")).toBe(world.sent("RunInstances")[0]?.parameters.get("ClientToken"));
      const text = await answer.text();
      return new Response(
        text.replace(/<code>\d+<\/code><name>\w+<\/name>/, "<code>32</code><name>shutting-down</name>"),
        {
          headers: { "content-type": "text/xml;charset=UTF-8" },
        },
      );
    });
    const again = await provider.spawn({ ...spec, key: "k" });
    expect(again.id).not.toBe(world.first.id);
    expect([runs, again.generation]).toEqual([2, 1]);
  });

  test("is no rival of a launch that finds its token taken", async () => {
    const world = await ending(() => undefined);
    let runs = 0;
    const provider = through(world, async ({ action }, send) => {
      if (action === "RunInstances" && runs === 0) {
        runs += 1;
        await world.another().terminate(world.first.id);
        return refusedWith("IdempotentParameterMismatch");
      }
      if (action === "DescribeInstances" && runs === 0)
        return await send((given) => given.set("Filter.1.Value.1", "nobody"));
      return await send();
    });
    expect((await provider.spawn({ ...spec, key: "k" })).id).not.toBe(world.first.id);
  });
});

const lost = async () => {
  const world = awsWorld({ readLagMs: 4_000 });
  world.emulator.control.faults.add({ operation: "RunInstances", when: "reply-lost" });
  expect(await failure(world.provider.spawn({ ...spec, key: "k" }))).toMatchObject({ effect: "unknown" });
  expect(live(world)).toHaveLength(1);
  return world;
};

test("a launch whose answer was lost is looked for before the key is launched anywhere else", async () => {
  const world = await lost();
  const other = { ...spec, key: "k", ...(await world.provider.placements(spec)).at(-1) };
  expect(await failure(world.provider.spawn(other))).toMatchObject({ code: "CONFLICT", effect: "none" });
  expect(live(world)).toHaveLength(1);
});

describe("a launch whose answer was lost, and whose repetition a quota refuses", () => {
  test("answers the instance that is there, though no listing shows it yet", async () => {
    const world = await lost();
    world.emulator.control.faults.add({ operation: "RunInstances", when: "before", row: "VcpuLimitExceeded" });
    expect((await world.provider.spawn({ ...spec, key: "k" })).key).toBe("k");
    expect(live(world)).toHaveLength(1);
  });

  test("answers it in another process too, once it is shown", async () => {
    const world = awsWorld();
    const { id } = await world.provider.spawn({ ...spec, key: "k" });
    // Made between the other process's look and its launch.
    let looks = 0;
    const other = through(world, async ({ action }, send) => {
      if (action === "RunInstances") return refusedWith("VcpuLimitExceeded");
      const isLook = action === "DescribeInstances";
      looks += isLook ? 1 : 0;
      return await send(
        isLook && looks <= 2 ? (parameters) => parameters.set("Filter.1.Value.1", "nobody") : undefined,
      );
    });
    expect((await other.spawn({ ...spec, key: "k" })).id).toBe(id);
  });

  test("is an error with nothing made where there is nothing", async () => {
    const world = awsWorld({ vcpuQuota: 0 });
    const error = await failure(world.provider.spawn({ ...spec, key: "k" }));
    expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none" });
  });
});

describe("an instance that somebody renamed", () => {
  const renamed = async () => {
    const world = awsWorld();
    const first = await world.provider.spawn({ ...spec, key: "k" });
    const client = ec2Client(world.emulator, first.region, CREDENTIALS);
    const tag = { Key: "Name", Value: "my-web-server" };
    await client.send(new CreateTagsCommand({ Resources: [first.nativeId], Tags: [tag] }));
    return { ...world, first };
  };

  test("is found by its key", async () => {
    const { provider, first } = await renamed();
    expect((await provider.list({ keys: ["k"] })).map(({ id }) => id)).toEqual([first.id]);
  });

  test("is what stands under the key, also once EC2 has forgotten the token", async () => {
    const world = await renamed();
    await world.emulator.clock.sleep(13 * 3_600_000);
    expect((await world.another().spawn({ ...spec, key: "k" })).id).toBe(world.first.id);
    expect(live(world)).toHaveLength(1);
  });
});

test.each(["*", "k?", "a\\b", "a b", " k"])("a key %j is taken by the letter", async (key) => {
  const world = awsWorld();
  const other = await world.provider.spawn({ ...spec, key: "k1" });
  const { id } = await world.provider.spawn({ ...spec, key });
  expect(id).not.toBe(other.id);
  expect((await world.another().spawn({ ...spec, key })).id).toBe(id);
  expect((await world.provider.list({ keys: [key] })).map((one) => one.id)).toEqual([id]);
});

test.each(["\n", "\r\n", " \n "])(
  "a label of the line breaks %j alone is refused: EC2's answers lose it",
  async (value) => {
    const world = awsWorld();
    const error = await failure(world.provider.spawn({ ...spec, labels: { note: value } }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.message).toMatch(/line breaks/);
  },
);

test.each(["a\r\nb", " ", "", "é😀", "&amp;", "]]>"])("a label %j comes back as it was given", async (value) => {
  const { provider } = awsWorld();
  const { id } = await provider.spawn({ ...spec, labels: { note: value } });
  expect((await provider.list({ labels: { note: value } })).map((one) => one.id)).toEqual([id]);
});
