import type { ExecMethods, LogMethods, Provider, SpawnOptionsOf, TerminalMethods } from "@slipway/core";
import { expectTypeOf, test } from "vitest";
import {
  type LocalInstance,
  type LocalNetworkProvider,
  type LocalProvider,
  type LocalSnapshot,
  local,
} from "../src/index.ts";

test("the factory's type says what the provider has", () => {
  expectTypeOf(local({ owner: "me" })).toEqualTypeOf<LocalProvider>();
  expectTypeOf(local({ owner: "me", isolatedNetworks: true })).toEqualTypeOf<LocalNetworkProvider>();
  expectTypeOf<LocalProvider>().toExtend<Provider>();
  expectTypeOf<LocalProvider>().toExtend<Provider<LocalInstance, LocalSnapshot, "idempotentSpawn">>();
  expectTypeOf<LocalProvider>().toExtend<ExecMethods & TerminalMethods & LogMethods>();
  expectTypeOf<LocalProvider>().not.toExtend<Provider<LocalInstance, LocalSnapshot, "customNetworking">>();
});

test("a network is an option of the provider that was asked for it, and of no other", () => {
  const options = { network: { isolated: true } };
  expectTypeOf(options).toExtend<SpawnOptionsOf<LocalNetworkProvider>>();
  expectTypeOf(options).not.toExtend<SpawnOptionsOf<LocalProvider>>();
  expectTypeOf({ spot: {} }).not.toExtend<SpawnOptionsOf<LocalProvider>>();
});
