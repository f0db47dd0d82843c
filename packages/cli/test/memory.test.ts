import { pathToFileURL } from "node:url";
import * as memoryPackage from "@slipway/provider-memory";
import { expect, it } from "vitest";
import { commandLine } from "./command-line.ts";

/** The command on a remote whose reads lag, with regions, prices and every capability. */
function onMemory() {
  const world = memoryPackage.memoryWorld({ readAfterWriteMs: 2000 });
  const line = commandLine();
  const file = (path: string) => pathToFileURL(line.write(path, "")).href;
  line.modules.set(file("memory.mjs"), () => memoryPackage);
  const providers = { memory: { package: "./memory.mjs", config: { world } } };
  line.modules.set(file("slipway.config.mjs"), () => ({ default: { provider: "memory", providers } }));
  const slipway = (...args: readonly string[]) =>
    line.slipway([...args, "--provider", "memory"], { clock: world.clock });
  return { world, slipway };
}

it("launches once under a lag, waits, snapshots, warms volumes, and ends all", async () => {
  const { world, slipway } = onMemory();
  const spawn = ["spawn", "--key", "web", "--spec", "m1.small", "--wait", "--json"];
  const first = await slipway(...spawn);
  expect(first.stderr).toBe("");
  const { id, status, price } = first.json() as { id: string; status: string; price?: { usdPerHour: number } };
  expect(status).toBe("running");
  expect((await slipway(...spawn)).json()).toMatchObject({ id });
  expect(world.instances().filter(({ live }) => live).length).toBe(1);
  if (price !== undefined) expect((await slipway("get", "web")).stdout).toContain(`$${price.usdPerHour}`);

  expect((await slipway("snapshot", "create", "web", "--key", "s", "--wait", "--json")).json()).toMatchObject({
    status: "available",
  });
  expect((await slipway("spot", "prices", "--json")).json()).toEqual(
    expect.arrayContaining([expect.objectContaining({ per: "instance" })]),
  );
  const zone = (await slipway("get", "web", "--json")).json() as { zone?: string };
  const warmed = await slipway(
    "volume",
    "warm",
    "--key",
    "w",
    "--pool",
    "p",
    "--size",
    "1G",
    "--zone",
    zone.zone ?? "",
    "--json",
  );
  expect(warmed.json()).toMatchObject({ pool: "p" });
  // Nobody gets a volume that the reads do not show yet.
  expect(await slipway("volume", "claim", "web", "--pool", "p")).toMatchObject({
    exitCode: 0,
    stderr: "No volume of the pool p is free.\n",
  });
  await world.clock.sleep(5000);
  expect((await slipway("volume", "claim", "web", "--pool", "p", "--json")).json()).toMatchObject({ attachedTo: id });

  expect((await slipway("terminate", "web", "--confirm")).stdout).toContain("is gone");
  expect(world.instances().filter(({ live }) => live)).toEqual([]);
  expect((await slipway("reconcile")).stderr).toBe("All is as it was launched.\n");
});

it("shows a region that is down as the failure that it is", async () => {
  const { world, slipway } = onMemory();
  const [region = ""] = world.settings.regions.map(({ id }) => id);
  world.setRegionDown(region, true);
  const run = await slipway("list", "--json");
  expect(run).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run.error()).toMatchObject({ scope: "region", effect: "none" });
});
