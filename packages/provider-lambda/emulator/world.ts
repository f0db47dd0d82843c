import type { Clock } from "@slipway/core";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import { EMULATED_TYPES, type EmulatedType } from "./catalogue.ts";
import type { LaunchRequest } from "./requests.ts";
import type { ResolvedSettings } from "./settings.ts";

/** Something that is there from one moment until another. */
export interface Kept<T> {
  readonly value: T;
  readonly from: number;
  until: number;
}

export interface StoredInstance {
  readonly id: string;
  readonly request: LaunchRequest;
  readonly launchedAt: number;
  /** What becomes of it, also in the future; in order. */
  events: readonly { readonly at: number; readonly status: string }[];
  readonly number: number;
  /** The public address; null where nothing is to be reached. */
  readonly ip: string | null;
}

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly public_key: string;
}

export interface StoredFileSystem {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly createdAt: number;
}

/** All that the remote holds. */
export interface World {
  readonly settings: ResolvedSettings;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly instances: Map<string, StoredInstance>;
  readonly sshKeys: Kept<StoredKey>[];
  readonly fileSystems: Kept<StoredFileSystem>[];
  /** By type and region; absent: `settings.capacity`. */
  readonly capacity: Map<string, number>;
  /** Where the list of capacity says something else than what is true. */
  readonly shown: Map<string, boolean>;
  changes: number;
}

export function newWorld(settings: ResolvedSettings, clock: Clock): World {
  const world: World = {
    settings,
    clock,
    random: seededRandom(settings.seed),
    instances: new Map(),
    sshKeys: [],
    fileSystems: [],
    capacity: new Map(),
    shown: new Map(),
    changes: 0,
  };
  for (const { name, publicKey } of settings.sshKeys) {
    const value = { id: newId(world), name, public_key: publicKey };
    world.sshKeys.push({ value, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY });
  }
  return world;
}

export function newId(world: World): string {
  return Array.from({ length: 32 }, () => world.random.whole(16).toString(16)).join("");
}

export function at<T>(kept: readonly Kept<T>[], moment: number): readonly T[] {
  return kept.filter(({ from, until }) => from <= moment && moment < until).map(({ value }) => value);
}

/** The status at a moment; null if it was not there yet. */
export function statusAt({ events }: StoredInstance, moment: number): string | null {
  return events.findLast((event) => event.at <= moment)?.status ?? null;
}

export function endedAt({ events }: StoredInstance): number {
  return events.find(({ status }) => status === "terminated")?.at ?? Number.POSITIVE_INFINITY;
}

/** Is it there at this moment, and has it not ended? */
export function isAlive(instance: StoredInstance, moment: number): boolean {
  const status = statusAt(instance, moment);
  return status !== null && status !== "terminated";
}

/** Another status from now on, and nothing after it but what is given. */
export function turn(
  world: World,
  instance: StoredInstance,
  ...then: readonly { readonly inMs: number; readonly status: string }[]
): void {
  const now = world.clock.now();
  instance.events = [
    ...instance.events.filter((event) => event.at < now),
    ...then.map(({ inMs, status }) => ({ at: now + inMs, status })),
  ];
  world.changes += 1;
  // One that does not end is the inspector's to see.
  if (then.some(({ status }) => ENDING.has(status))) world.settings.machines?.end(instance.id).catch(() => undefined);
}

const ENDING: ReadonlySet<string> = new Set(["terminating", "terminated"]);

/** Of the loopback where a machine runs behind it. */
export function newAddress({ settings, instances }: World): string | null {
  if (settings.machines !== null) return settings.machines.newAddress();
  const number = instances.size + 1;
  return settings.isReachable ? `198.51.${number >> 8}.${number & 255}` : null;
}

export function placeId(type: string, region: string): string {
  return `${type} ${region}`;
}

/** How many more launches a place takes. */
export function freeAt(world: World, type: string, region: string): number {
  const now = world.clock.now();
  const there = [...world.instances.values()].filter(
    (one) => one.request.instance_type_name === type && one.request.region_name === region && isAlive(one, now),
  ).length;
  return (world.capacity.get(placeId(type, region)) ?? world.settings.capacity) - there;
}

export function typeOf(name: string): EmulatedType | undefined {
  return EMULATED_TYPES.find((type) => type.name === name);
}
