import { refuseField } from "./answers.ts";
import type { InsertBody } from "./requests.ts";
import type { StatusEvent } from "./world.ts";

const SHORTEST_MS = 30_000;
const LONGEST_MS = 120 * 86_400_000;
/** So late Google may begin with it. */
export const LATEST_MS = 30_000;
const STOPPING_MS = 30_000;

/** When an instance's time is over; null without a limit. Refuses what Google does not keep. */
export function timeLimit({ scheduling = {} }: InsertBody, now: number, startsAt: number): number | null {
  const { terminationTime, maxRunDuration, preemptible, provisioningModel, instanceTerminationAction } = scheduling;
  if (terminationTime === undefined && maxRunDuration === undefined) return null;
  const field = `resource.scheduling.${terminationTime === undefined ? "maxRunDuration" : "terminationTime"}`;
  if (terminationTime !== undefined && maxRunDuration !== undefined)
    refuseField(field, "terminationTime and maxRunDuration exclude each other.");
  if (instanceTerminationAction === undefined) refuseField(field, "instanceTerminationAction has to be given with it.");
  if (preemptible === true && provisioningModel !== "SPOT") refuseField(field, "not for preemptible instances.");
  const lasts =
    terminationTime === undefined ? Number(maxRunDuration?.seconds) * 1_000 : Date.parse(terminationTime) - now;
  if (!(lasts >= SHORTEST_MS && lasts <= LONGEST_MS)) refuseField(field, "from 30 seconds to 120 days.");
  return terminationTime === undefined ? startsAt + lasts : Math.max(now + lasts, startsAt);
}

/** What the limit makes of an instance that nobody stops or suspends before. */
export function eventsOfLimit({ scheduling }: InsertBody, planned: number, late: number): readonly StatusEvent[] {
  const at = planned + late;
  if (scheduling?.instanceTerminationAction === "DELETE")
    return [{ at, status: "STOPPING", target: "DELETED", planned }];
  return [
    { at, status: "STOPPING", target: "STOPPED", planned },
    { at: at + STOPPING_MS, status: "TERMINATED" },
  ];
}
