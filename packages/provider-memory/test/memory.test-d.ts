import type { BuiltinCapability, CapabilitiesOf, Clock, InstanceOf, Register, SnapshotOf } from "@slipway/core";
import type { DriftWorld } from "@slipway/provider-kit/chaos";
import type { SimulatedClock } from "@slipway/provider-kit/emulator";
import {
  type MemoryInstance,
  type MemoryProvider,
  type MemorySnapshot,
  type MemoryWorld,
  memory,
  memoryWorld,
  register,
} from "@slipway/provider-memory";
import { expectTypeOf, test } from "vitest";

test("has all eleven capabilities, and its own types", () => {
  expectTypeOf<CapabilitiesOf<MemoryProvider>>().toEqualTypeOf<BuiltinCapability | "terminateBy">();
  expectTypeOf<InstanceOf<MemoryProvider>>().toEqualTypeOf<MemoryInstance>();
  expectTypeOf<SnapshotOf<MemoryProvider>>().toEqualTypeOf<MemorySnapshot>();
  expectTypeOf(memory).returns.toEqualTypeOf<MemoryProvider>();
});

test("a world keeps the type of its clock, fits every option that takes one, and can drift", () => {
  expectTypeOf(memoryWorld({ bootMs: 1 }).clock).toEqualTypeOf<SimulatedClock>();
  expectTypeOf(memoryWorld({ clock: {} as Clock }).clock).toEqualTypeOf<Clock>();
  expectTypeOf<MemoryWorld<SimulatedClock>>().toExtend<MemoryWorld>();
  expectTypeOf<MemoryWorld>().toExtend<DriftWorld>();
});

test("registers as every package does", () => {
  expectTypeOf(register).toExtend<Register>();
});
