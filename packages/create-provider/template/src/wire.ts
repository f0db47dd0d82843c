// What the remote answers, as far as it is read: minimal, and tolerant of new fields.
import { z } from "zod";

const tags = z.record(z.string(), z.string());

export const machine = z.object({
  id: z.string().min(1),
  name: z.string(),
  state: z.string(),
  type: z.string(),
  image: z.string(),
  tags,
  address: z.string().nullable(),
  createdAt: z.string(),
  // #if multiRegion
  region: z.string(),
  // #end
  // #if gpu
  gpus: z.object({ type: z.string(), count: z.number() }).nullable(),
  // #end
});
export type WireMachine = z.infer<typeof machine>;
export const machines = z.object({ machines: z.array(machine) });

/** What a creation asks for. */
export interface CreateBody {
  readonly name: string;
  readonly type: string;
  readonly image?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly userData?: string | undefined;
  readonly sshKeys?: readonly string[] | undefined;
  // #if multiRegion
  readonly region: string;
  // #end
  // #if gpu
  readonly gpus?: { readonly type?: string | undefined; readonly count: number } | undefined;
  // #end
  // #if persistentVolumes
  readonly disks?: readonly { readonly id: string; readonly path: string }[] | undefined;
  // #end
}
// #if persistentVolumes

export const disk = z.object({
  id: z.string().min(1),
  name: z.string(),
  sizeBytes: z.number(),
  machine: z.string().nullable(),
  createdAt: z.string(),
  // #if multiRegion
  region: z.string(),
  // #end
});
export type WireDisk = z.infer<typeof disk>;
export const disks = z.object({ disks: z.array(disk) });
// #end
// #if snapshots

export const capture = z.object({
  id: z.string().min(1),
  state: z.string(),
  machine: z.string(),
  tags,
  createdAt: z.string(),
});
export type WireCapture = z.infer<typeof capture>;
export const captures = z.object({ captures: z.array(capture) });
// #end

export const nothing = z.unknown();

const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The remote's own words for a failure; undefined if these are not its words. */
export function wireError(json: unknown): { readonly code: string; readonly message: string } | undefined {
  return failure.safeParse(json).data?.error;
}
