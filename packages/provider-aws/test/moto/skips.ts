import type { Skip } from "@slipway/contract-tests";

const reviewBy = "2027-06-30";
const hibernate = "moto stops an instance where it is asked to hibernate it";
const detach = "moto fails where a volume is detached by its id alone";
const attach = "moto attaches one volume to any number of instances, so that no claim can lose";
const guest = "moto runs no guest, so that no machine shuts itself down";

/** What of the contract cannot be seen on moto, which lacks what it is about. */
export const MOTO_SKIPS: readonly Skip[] = [
  { id: "hibernation.cycle", reason: hibernate, reviewBy },
  { id: "hibernation.repeated", reason: hibernate, reviewBy },
  { id: "hibernation.listed", reason: hibernate, reviewBy },
  { id: "terminate-by.comes", reason: guest, reviewBy },
  { id: "warm-volumes.never-twice", reason: attach, reviewBy },
  { id: "warm-volumes.released", reason: detach, reviewBy },
  { id: "warm-volumes.release-repeated", reason: detach, reviewBy },
];
