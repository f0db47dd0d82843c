import { nodeHttpAdapter } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import { PROJECT, TOKEN } from "../gcp-harness.ts";
import { type Counts, countsOfProvider, thousandInstances } from "../thousand.ts";
import { judged } from "./judge.ts";

test("1 002 instances over 3 regions: no more requests than plain google-cloud-compute sends for the same", async () => {
  const { emulator } = await thousandInstances();
  const { requests } = emulator.control;
  const before = requests.length;
  const server = await nodeHttpAdapter(emulator.handle, {});
  try {
    const { failures } = await judged("plain", server.url, TOKEN, PROJECT);
    expect(failures).toEqual([]);
  } finally {
    await server.close();
  }
  const sent = requests.slice(before).map(({ operation }) => operation);
  const first = sent.indexOf("instances.delete");
  const lists = sent.slice(0, first);
  expect(new Set(lists)).toEqual(new Set(["instances.aggregatedList"]));
  // It lists twice: once to have them, and once to see that all run.
  const plain: Counts = { list: lists.length / 2, wait: lists.length / 2, terminate: sent.length - first };
  const ours = await countsOfProvider();
  process.stdout.write(`requests: plain ${JSON.stringify(plain)}, provider ${JSON.stringify(ours)}\n`);
  expect(emulator.control.instances().filter(({ live }) => live)).toEqual([]);
  for (const name of ["list", "wait", "terminate"] as const) expect(ours[name]).toBeLessThanOrEqual(plain[name]);
});
