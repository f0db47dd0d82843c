import { z } from "zod";

/** ISO 8601 UTC, as every time of the contract. */
export const time: z.ZodISODateTime = z.iso.datetime();
