import { describe, it } from "vitest";
import { judgeSession } from "../reach-places.ts";
import { PLACES } from "./clouds.ts";
import { missing, useMachines } from "./machines.ts";

describe.skipIf(missing !== null)("a session keeps every promise", () => {
  const open = useMachines();

  it.concurrent.for(Object.entries(PLACES))("into %s", async ([, placeIn], { expect, onTestFinished }) => {
    const { machines, directory, identityFile } = open();
    const place = placeIn(machines, directory, false);
    if (place.close !== undefined) onTestFinished(place.close);
    const access = { identityFile, endpoint: machines.endpoint };
    const { via, faults, skipped } = await judgeSession(place.provider, place.machine, access);
    expect(faults).toEqual([]);
    // A provider's own exec has no connection that could be cut.
    expect(skipped).toEqual(via === "native" ? ["job.cut"] : []);
    expect(await place.left()).toBe(0);
  });
});
