import { simulatedClock } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { lambdaClient } from "../src/client.ts";

test("a launch that is sent again after a 429 calls its own callback, and no other launch's", async () => {
  const clock = simulatedClock();
  const tries = new Map<string, number>();
  const calls: string[] = [];
  const fetch: typeof globalThis.fetch = async (_input, init) => {
    const { name } = JSON.parse(typeof init?.body === "string" ? init.body : "{}") as { readonly name: string };
    const tried = (tries.get(name) ?? 0) + 1;
    tries.set(name, tried);
    calls.push(`${name} sent`);
    // The second launch begins while the first one waits after its 429.
    if (name === "first" && tried === 1) {
      return Response.json({ error: { code: "global/too-many-requests", message: "slow down" } }, { status: 429 });
    }
    return Response.json({ data: { instance_ids: [name.padEnd(32, "0")] } });
  };
  const client = lambdaClient({
    owner: "tests",
    apiKey: "k",
    requestsPerSecond: 1_000,
    secondsPerLaunch: 0.001,
    runtime: { clock, fetch },
  });
  const launch = (name: string) =>
    client.launch(
      { operation: "spawn" },
      { name, region_name: "us-west-1", instance_type_name: "gpu_1x_a10", ssh_key_names: ["laptop"], tags: [] },
      { secrets: [], onSent: () => calls.push(`${name} called back`) },
    );
  const first = launch("first");
  while (!calls.includes("first sent")) await clock.sleep(1);
  await Promise.all([first, launch("second")]);
  const of = (name: string) => calls.filter((one) => one.startsWith(name));
  expect(of("first")).toEqual(["first called back", "first sent", "first called back", "first sent"]);
  expect(of("second")).toEqual(["second called back", "second sent"]);
});
