import { expect, test } from "vitest";
import type { Place } from "../jobs/clouds.ts";
import { COUNT, HEADER, runJobsOn } from "../jobs/job-runner.ts";
import { judgeSession } from "../reach-places.ts";

// The provider has an exec of its own: nobody looks for a key.
const NO_KEY = { identityFile: "/nonexistent/key" };

/** The job runner and a session on a real cluster, which stands when the tests start. */
export function provePlace(name: string, placeIn: () => Place): void {
  test(`does ${COUNT} of ${COUNT} jobs after one changed line`, async () => {
    const place = placeIn();
    const { row, faults } = await runJobsOn(name, place, NO_KEY);
    process.stdout.write(`a real cluster\n${HEADER}\n${row}\n`);
    expect(faults).toEqual([]);
    expect(row).toContain(` ${COUNT} of ${COUNT} `);
    expect(await place.provider.list()).toEqual([]);
    await expect.poll(place.left).toBe(0);
  });

  test("keeps every promise of a session", async () => {
    const place = placeIn();
    const { via, faults, skipped } = await judgeSession(place.provider, place.machine, NO_KEY);
    expect(faults).toEqual([]);
    // Its own exec has no connection that could be cut.
    expect({ via, skipped }).toEqual({ via: "native", skipped: ["job.cut"] });
    await expect.poll(place.left).toBe(0);
  });
}
