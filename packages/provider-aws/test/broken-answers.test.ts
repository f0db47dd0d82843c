import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { awsWorld, failure, through } from "./world.ts";

const XML = { "content-type": "text/xml;charset=UTF-8" };
const MIB = 1024 * 1024;

/** An answer whose connection breaks after its first bytes. */
function cut(): Response {
  const cause = Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" });
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.enqueue(new TextEncoder().encode("<?xml"));
      controller.error(new TypeError("terminated", { cause }));
    },
  });
  return new Response(body, { headers: XML });
}

describe("an answer that breaks off", () => {
  test("is asked for again where it is a read's", async () => {
    const world = awsWorld();
    const { id } = await world.provider.spawn({ spec: "t3.micro" });
    let broken = 0;
    const provider = through(world, async (_request, send) => {
      const answer = await send();
      broken += 1;
      return broken === 1 ? cut() : answer;
    });
    expect((await provider.get(id))?.id).toBe(id);
    expect(broken).toBe(2);
  });

  test("says nothing of what a launch has made", async () => {
    const world = awsWorld();
    const provider = through(world, async ({ action }, send) => {
      const answer = await send();
      return action === "RunInstances" ? cut() : answer;
    });
    const error = await failure(provider.spawn({ spec: "t3.micro", key: "k" }));
    expect(error).toMatchObject({ code: "NETWORK", effect: "unknown", retryable: true });
    expect((await world.provider.spawn({ spec: "t3.micro", key: "k" })).key).toBe("k");
    expect(world.emulator.control.instances()).toHaveLength(1);
  });
});

test("an answer that never ends is read up to 64 MiB", async () => {
  const chunk = new Uint8Array(8 * MIB);
  let given = 0;
  const provider = through(awsWorld(), async () => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        given += 1;
        if (given > 20) controller.close();
        else controller.enqueue(chunk);
      },
    });
    return new Response(body, { headers: XML });
  });
  const error = await failure(provider.list());
  expect(error).toMatchObject({ code: "INTERNAL", effect: "none" });
  expect(error.message).toMatch(/larger/);
  expect(given).toBeLessThan(12);
});
