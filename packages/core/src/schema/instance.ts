import type { z } from "zod";
import { type Instance, instanceShape } from "../instance.ts";
import { type Price, priceShape } from "../price.ts";
import { answerSchema } from "./from-shape.ts";

/** What an hour costs. */
export const priceSchema: z.ZodType<Price> = answerSchema<Price>(priceShape);

/** An instance as every provider answers it through the contract; a provider's own fields are dropped. */
export const instanceSchema: z.ZodType<Instance> = answerSchema<Instance>(instanceShape);
